"""Documents ready to be served: written once, told apart by an ETag."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from chanx.asyncapi.docs import docs_page
from chanx.asyncapi.document import assembled, sources_of
from chanx.asyncapi.options import DocumentOptions
from chanx.asyncapi.routes import ConsumerRoute
from chanx.asyncapi.sources import Source
from chanx.asyncapi.text import to_json_text, to_yaml_text
from chanx.core import _guard as _guard
from chanx.type_defs import JSONObject

__all__ = ["Format", "Publication", "publish"]

Format = Literal["json", "yaml", "html"]

_WRITERS: Mapping[Format, Callable[[JSONObject], str]] = {
    "json": to_json_text,
    "yaml": to_yaml_text,
    "html": docs_page,
}
# A client chooses the host that it calls, so this many can be asked for at little cost, and no more are kept.
_CACHED_TEXTS = 32


@dataclass(frozen=True, slots=True)
class Publication:
    """Bytes to send, and the quoted ETag that names them."""

    content: bytes
    etag: str

    def is_known(self, if_none_match: str | None) -> bool:
        """Tell whether a request's `If-None-Match` says that the client has these bytes."""
        known = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
        return self.etag in known or "*" in known


def publish(
    routes: Iterable[ConsumerRoute], options: DocumentOptions, form: Format = "json"
) -> Publication:
    """Return the document of the routes in one form."""
    return _publication(sources_of(routes, options), options.as_key(), form)


@lru_cache(maxsize=_CACHED_TEXTS)
def _publication(sources: tuple[Source, ...], options: str, form: Format) -> Publication:
    document = assembled(sources, DocumentOptions.from_key(options))
    content = _WRITERS[form](document).encode()
    return Publication(content, f'"{sha256(content).hexdigest()[:32]}"')
