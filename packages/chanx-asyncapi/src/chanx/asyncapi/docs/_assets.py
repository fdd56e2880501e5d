"""Files that the page loads."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

__all__ = ["ASSET_NAMES", "SCRIPTS", "Asset", "asset", "asset_link"]

# In the order in which they build on each other.
SCRIPTS = (
    "validator.js",
    "document.js",
    "traffic.js",
    "editor.js",
    "exchange.js",
    "topic.js",
    "trial.js",
    "page.js",
)
_MEDIA_TYPES = {
    "style.css": "text/css",
    "icon.svg": "image/svg+xml",
    **dict.fromkeys(SCRIPTS, "text/javascript"),
}
ASSET_NAMES = tuple(_MEDIA_TYPES)
# Their addresses name the version of their content.
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


class Asset(NamedTuple):
    """A file to serve beside the page."""

    content: bytes
    media_type: str
    headers: Mapping[str, str]


@cache
def _read(name: str) -> bytes:
    return files("chanx.asyncapi.docs").joinpath("assets", name).read_bytes()


def asset(name: str) -> Asset | None:
    """Return one of the page's files, which it asks for at its own address with `?asset=name`."""
    media_type = _MEDIA_TYPES.get(name)
    return None if media_type is None else Asset(_read(name), media_type, _HEADERS)


@cache
def asset_link(name: str) -> str:
    """Return where the page asks for a file."""
    return f"?asset={name}&v={sha256(_read(name)).hexdigest()[:8]}"
