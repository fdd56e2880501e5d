"""One difference between two documents."""

from dataclasses import asdict, dataclass
from typing import Literal

from chanx.type_defs import JSONObject

__all__ = ["Change", "Direction"]

Direction = Literal["to-server", "to-client", "both"]


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """What changed, where (a JSON pointer), for messages of which direction, and whether it breaks clients."""

    place: str
    rule: str
    direction: Direction
    breaking: bool
    message: str

    def as_object(self) -> JSONObject:
        """Return it as JSON has it."""
        return asdict(self)
