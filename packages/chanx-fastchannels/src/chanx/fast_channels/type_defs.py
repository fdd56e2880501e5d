"""Types of the views' parameters."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

__all__ = ["AsyncAPIConfig"]


class AsyncAPIConfig(TypedDict, total=False):
    """What an AsyncAPI document says beyond its routes; whatever is left out comes from application and request."""

    title: str
    version: str
    description: str
    server_url: str
    """Host and port; a scheme and a path may be part of it."""
    server_protocol: str
    """Wins over the scheme of `server_url`."""
    camelize: bool
    """Document field names in camel case or not; left out, as each consumer does."""
    camelize_dicts: bool
    """The same for keys of dictionaries."""
    servers: Mapping[str, dict[str, Any]]
    """AsyncAPI server objects by name, instead of the one of `server_url`."""
    security_schemes: Mapping[str, dict[str, Any]]
    """AsyncAPI security schemes by name, beside those of authenticators."""
    asyncapi_version: Literal["3.0.0", "3.1.0"]

    # Accepted with a warning and ignored: the page loads nothing from other servers.
    docs_js_url: str
    docs_css_url: str
    docs_js_integrity: str
    docs_css_integrity: str
