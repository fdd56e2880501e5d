"""One thing that is wrong with a document."""

from typing import NamedTuple

__all__ = ["Problem", "pointer"]


class Problem(NamedTuple):
    """Where it is (a JSON pointer), the name of the rule that says so, and why in a sentence."""

    place: str
    rule: str
    message: str


def pointer(*path: str | int) -> str:
    """Write a path as a JSON pointer: `/channels/chat~1room/address`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
