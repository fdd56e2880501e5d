"""Error frames made from a ValidationError: limited in size, and without any input of the client."""

from collections.abc import Collection, Sequence
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import (
    ErrorDetails,
    PydanticCustomError,
    to_json,
)

from chanx.type_defs import JSONObject

__all__ = ["MAX_DESCRIBED", "InvalidFrameError", "bounded", "error_items", "malformed"]

MAX_ITEMS = 10
# Pydantic describes either all errors or none, and each takes some microseconds.
MAX_DESCRIBED = 500
MAX_BYTES = 4096 - 64  # the rest of the frame: action, version and a ref
_MAX_MESSAGE = 256
_MAX_LOCATION = 16

# The texts of these errors quote the input after the first comma.
_QUOTING_TYPES = ("_parsing", "_syntax_violation", "_from_date_parsing", "_from_datetime_parsing")


class InvalidFrameError(Exception):
    """A frame that is not a message of the consumer.

    A `malformed` frame (not a JSON object, or an invalid envelope) is answered by an error without completion.
    """

    def __init__(
        self, error: ValidationError, *, malformed: bool = False, ref: str | None = None
    ) -> None:
        super().__init__(str(error.error_count()))
        self.error = error
        self.malformed = malformed
        self.ref = ref

    @property
    def kind(self) -> str:
        """The type of the first error."""
        return self.error.errors(include_url=False, include_context=False, include_input=False)[0][
            "type"
        ]


def malformed(kind: str, message: str, *loc: str) -> InvalidFrameError:
    """Build the error for a frame that pydantic has not validated, or that it has no error type for."""
    custom = PydanticCustomError(cast(Any, kind), cast(Any, message))
    return InvalidFrameError(_validation_error(custom, loc), malformed=True)


def custom_error(detail: ErrorDetails) -> ValidationError:
    """Build a ValidationError from one error of another validation."""
    kind, message = cast(Any, detail["type"]), cast(Any, detail["msg"])
    return _validation_error(PydanticCustomError(kind, message), detail["loc"])


def unknown_action() -> ValidationError:
    """Build the error for a message to a class without message handlers."""
    kind = cast(Any, "union_tag_invalid")
    return _validation_error(PydanticCustomError(kind, "Unknown action"), ())


def _validation_error(kind: PydanticCustomError, loc: tuple[int | str, ...]) -> ValidationError:
    return ValidationError.from_exception_data("Frame", [{"type": kind, "loc": loc, "input": None}])


def error_items(
    error: ValidationError, *, actions: Sequence[str], names: Collection[str]
) -> list[JSONObject]:
    """Return at most ten `{type, loc, msg}` in at most 4 KiB, and an eleventh with the number of omitted errors.

    `names` are the keys that the server declares (fields, tags): a location ends before the first other key. More than
    500 errors are counted and not described.
    """
    total = error.error_count()
    if total > MAX_DESCRIBED:
        return [{"type": "too_many_errors", "loc": [], "msg": f"{total} errors"}]
    details = error.errors(include_url=False, include_context=False, include_input=False)[
        :MAX_ITEMS
    ]
    return bounded([_item(detail, actions, names) for detail in details], total)


def bounded(items: list[JSONObject], total: int) -> list[JSONObject]:
    """Return one to ten items in at most 4 KiB, and another with the number of omitted items out of `total`."""
    shown = items[:MAX_ITEMS]
    while len(shown) > 1 and len(to_json(shown)) > MAX_BYTES - 96:
        shown.pop()
    more = total - len(shown)
    if more:
        text = f"{more} more {'error' if more == 1 else 'errors'}"
        shown.append({"type": "too_many_errors", "loc": [], "msg": text})
    return shown


def _item(detail: ErrorDetails, actions: Sequence[str], names: Collection[str]) -> JSONObject:
    kind, loc, message = detail["type"], detail["loc"], detail["msg"]
    if kind in ("model_attributes_type", "model_type"):
        kind, message = "dict_type", "Input should be an object"
    elif kind == "union_tag_invalid" and not loc:
        message = f"Unknown action; known actions: {', '.join(map(repr, actions)) or 'none'}"
    elif kind == "union_tag_not_found" and not loc:
        message = "The message has no action"
    elif kind == "union_tag_invalid":
        message = "Input does not match any of the expected kinds"
    elif kind.endswith(_QUOTING_TYPES):
        message = message.split(",")[0]
    return {"type": kind, "loc": _server_part(loc, names), "msg": _shortened(message)}


def _server_part(loc: tuple[int | str, ...], names: Collection[str]) -> list[int | str]:
    part: list[int | str] = []
    for step in loc[:_MAX_LOCATION]:
        if isinstance(step, str) and step not in names:
            break
        part.append(step)
    return part


def _shortened(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else f"{message[: _MAX_MESSAGE - 1]}…"
