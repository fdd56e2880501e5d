"""What exceptions of Starlette and FastAPI say to the client of a WebSocket."""

from collections.abc import Sequence
from http.client import responses
from typing import cast

from starlette.exceptions import HTTPException

from chanx.type_defs import JSONObject

__all__ = ["http_error_item", "refusal"]

_BAD_REQUEST = 400


def http_error_item(error: HTTPException) -> JSONObject:
    """Return the item of the error frame; a detail that is no text goes beside the phrase of the status."""
    status = error.status_code
    item: JSONObject = {"type": f"http_{status}", "loc": [], "status": status}
    detail = cast(object, error.detail)  # FastAPI's may be whatever can be written as JSON
    if isinstance(detail, str):
        return {**item, "msg": detail}
    return {**item, "msg": responses.get(status, "Error"), "detail": detail}


def refusal(items: Sequence[JSONObject]) -> tuple[int, str]:
    """Return the close code and the reason for an application error of a connection: 4000 and the HTTP status."""
    status = items[0].get("status")
    return 4000 + (status if isinstance(status, int) else _BAD_REQUEST), items[0]["msg"]
