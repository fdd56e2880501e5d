"""What a failure says: the rule that is broken, and everything that was sent and came."""

from collections.abc import Iterable
from typing import Any, cast

from pydantic_core import from_json, to_json

from chanx.testing.frames import listed
from chanx.type_defs import ASGIEvent, JSONObject

__all__ = ["ContractError", "Transcript", "error_codes"]

_MOST_TEXT = 500
_MOST_LINES = 24


class ContractError(AssertionError):
    """A server did what its document does not say, or did not do what it says."""


class Transcript:
    """Everything that was sent and came on one connection, in order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        """The frames that came."""
        self._lines: list[str] = []

    def sent(self, frame: JSONObject) -> str:
        """Note a frame that is sent, and return its text."""
        text = to_json(frame).decode()
        self._lines.append(f"sent: {_shortened(text)}")
        return text

    # Any: frames are whatever JSON can hold.
    def came(self, event: ASGIEvent) -> Any:
        """Note an event, and return the frame that it brings; None without one. Raises ContractError."""
        self._lines.append(f"came: {listed([event])}")
        text = event.get("text")
        if not isinstance(text, str):
            return None
        self.texts.append(text)
        try:
            return from_json(text, allow_inf_nan=False)
        except ValueError as error:
            raise self.broken(f"A frame is not JSON ({error})") from None

    def broken(self, rule: str, cure: str = "") -> ContractError:
        """Make the failure: the rule, how to repair it, what was sent and what came."""
        return ContractError("\n".join([f"{rule}.", *([cure] if cure else []), *self._shown()]))

    def _shown(self) -> list[str]:
        lines = [*self._lines]
        if not any(line.startswith("came: ") for line in lines):
            lines.append("came: nothing")
        left_out = len(lines) - _MOST_LINES
        if left_out <= 0:
            return lines
        half = _MOST_LINES // 2
        return [*lines[:half], f"... {left_out} more ...", *lines[-half:]]


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"


# Any: what an error carries.
def error_codes(payload: Any) -> set[str]:
    """Return the codes of an error frame; none where it does not list what is wrong."""
    if not isinstance(payload, list) or not payload:
        return set()
    items = cast(Iterable[Any], payload)
    if not all(isinstance(item, dict) and {"type", "loc", "msg"} <= item.keys() for item in items):
        return set()
    return {str(item["type"]) for item in cast(Iterable[JSONObject], payload)}
