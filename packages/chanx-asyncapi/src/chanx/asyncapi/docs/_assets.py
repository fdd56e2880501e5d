"""Files that the page loads."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

__all__ = ["Asset", "asset"]

_MEDIA_TYPES = {"style.css": "text/css"}


class Asset(NamedTuple):
    """A file to serve beside the page."""

    content: bytes
    media_type: str


@cache
def _read(name: str) -> bytes:
    return files("chanx.asyncapi.docs").joinpath("assets", name).read_bytes()


def asset(name: str) -> Asset | None:
    """Return one of the page's files, which it asks for at its own address with `?asset=name`."""
    media_type = _MEDIA_TYPES.get(name)
    return None if media_type is None else Asset(_read(name), media_type)
