"""What exceptions of Django REST framework say to the client of a WebSocket."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from rest_framework.exceptions import APIException
from rest_framework.settings import api_settings

from chanx.type_defs import JSONObject

__all__ = ["rest_error_items"]


def rest_error_items(error: Exception) -> list[JSONObject] | None:
    """Return an item for each text of an APIException, with the place of the text; None for any other exception."""
    if not isinstance(error, APIException):
        return None
    texts = [*_texts(error.detail, ())] or [((), error.default_detail)]
    return [
        {
            "type": getattr(text, "code", None) or error.default_code,
            "loc": [*place],
            "msg": str(text),
            "status": error.status_code,
        }
        for place, text in texts
    ]


# Any: texts, or lists and dictionaries of them, as deep as serializers are nested.
def _texts(detail: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(detail, dict):
        for key, value in cast("dict[str | int, Any]", detail).items():
            is_general = key == api_settings.NON_FIELD_ERRORS_KEY
            yield from _texts(value, place if is_general else (*place, key))
    elif isinstance(detail, list | tuple):
        for number, value in enumerate(cast("Sequence[Any]", detail)):
            # Several texts are about one place; lists and dictionaries are about one element each.
            is_nested = isinstance(value, dict | list | tuple)
            yield from _texts(value, (*place, number) if is_nested else place)
    else:
        yield place, detail
