"""What exceptions of Django and Django REST framework say to the client of a WebSocket."""

import sys

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import Http404

from chanx.type_defs import JSONObject

__all__ = ["error_items"]


def error_items(error: Exception) -> list[JSONObject] | None:
    """Return the items of the error frame; None for an exception that answers nothing."""
    match error:
        case Http404():
            return [_item("not_found", str(error) or "Not found.", 404)]
        case PermissionDenied():
            text = str(error) or "You do not have permission to perform this action."
            return [_item("permission_denied", text, 403)]
        case ValidationError():
            return _validation_items(error) or [_item("invalid", "Invalid input.", 400)]
        case _:
            return _rest_items(error)


def _validation_items(error: ValidationError) -> list[JSONObject]:
    if not hasattr(error, "error_dict"):
        return [_single(part) for part in error.error_list]
    return [
        {**_single(part), "loc": [] if field == NON_FIELD_ERRORS else [field]}
        for field, parts in error.error_dict.items()
        for part in parts
    ]


def _single(error: ValidationError) -> JSONObject:
    return _item(error.code or "invalid", error.messages[0], 400)


def _rest_items(error: Exception) -> list[JSONObject] | None:
    if "rest_framework.exceptions" not in sys.modules:  # then nobody can have raised one
        return None
    from chanx.channels._rest_errors import rest_error_items

    return rest_error_items(error)


def _item(code: str, text: str, status: int) -> JSONObject:
    return {"type": code, "loc": [], "msg": text, "status": status}
