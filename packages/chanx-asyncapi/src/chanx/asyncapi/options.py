"""What a document says beyond its routes."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from chanx.type_defs import JSONObject

__all__ = ["DEFAULT_TITLE", "AsyncAPIVersion", "DocumentOptions", "used_options"]

AsyncAPIVersion = Literal["3.0.0", "3.1.0"]

# Of the single package `chanx`, whose page is loaded from another server.
_UNUSED_OPTIONS = ("docs_js_url", "docs_css_url", "docs_js_integrity", "docs_css_integrity")

DEFAULT_TITLE = "AsyncAPI Documentation"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOptions:
    """Options of one document.

    `servers` and `security_schemes` are AsyncAPI objects by name, taken as they are. Without `servers` there is one,
    at `server_url`, which may hold a scheme and a path; `server_protocol` wins over the scheme. `camelize` documents
    field names in camel case or not, whatever the consumers say; None follows each consumer. `camelize_dicts` does the
    same for keys of dictionaries.
    """

    title: str = DEFAULT_TITLE
    version: str = "1.0.0"
    description: str | None = None
    server_url: str | None = None
    server_protocol: str | None = None
    servers: Mapping[str, JSONObject] | None = None
    security_schemes: Mapping[str, JSONObject] | None = None
    camelize: bool | None = None
    camelize_dicts: bool | None = None
    asyncapi_version: AsyncAPIVersion = "3.0.0"

    def as_key(self) -> str:
        """Return the options as text, which can be hashed and read again."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Return the options that `as_key()` was asked for."""
        fields: dict[str, Any] = json.loads(key)
        return cls(**fields)


def used_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return an AsyncAPIConfig without options that only the single package `chanx` uses, and warn of these."""
    unused = [name for name in _UNUSED_OPTIONS if name in config]
    if unused:
        warnings.warn(
            f"AsyncAPIConfig sets {', '.join(unused)}, which is ignored: the page of the document loads its scripts "
            "and styles from its own address. Remove it.",
            stacklevel=1,  # one place for all views, so that it is shown once
        )
    return {name: value for name, value in config.items() if name not in unused}
