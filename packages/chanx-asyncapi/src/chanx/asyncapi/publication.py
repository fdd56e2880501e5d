"""Documents ready to be served: written once, told apart by an ETag.

Clients choose the host that they send requests to, and a document names it. So a text is written with placeholders for
its server and cached; filling them in costs little, and a flood of hosts neither writes nor evicts a text.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from html import escape
from secrets import token_hex
from typing import Literal

from chanx.asyncapi._client.reading import read_client
from chanx.asyncapi._client.typescript import javascript_module
from chanx.asyncapi.docs import docs_page
from chanx.asyncapi.document import assembled, sources_of
from chanx.asyncapi.making import making
from chanx.asyncapi.options import DocumentOptions
from chanx.asyncapi.routes import ConsumerRoute
from chanx.asyncapi.servers import servers
from chanx.asyncapi.sources import Source
from chanx.asyncapi.text import to_json_text, to_yaml_text
from chanx.type_defs import JSONObject

__all__ = ["Format", "Publication", "publish"]

Format = Literal["json", "yaml", "html", "js"]


def _client_module(document: JSONObject) -> str:
    return javascript_module(read_client(document))


_WRITERS: Mapping[Format, Callable[[JSONObject], str]] = {
    "json": to_json_text,
    "yaml": to_yaml_text,
    "html": docs_page,
    "js": _client_module,
}
_CACHED_TEXTS = 32
# With a server filled in. Any client can evict these, which costs no more than filling it in again.
_CACHED_PUBLICATIONS = 32

# Random, so that neither a document nor a client contains them.
_NAME, _HOST, _PROTOCOL = (f"{name}{token_hex(16)}" for name in ("name", "host", "protocol"))
_PLACEHOLDERS: JSONObject = {_NAME: {"host": _HOST, "protocol": _PROTOCOL}}


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
    """Return the document of the routes in one form.

    Threads that ask for the same document at once have it made once.
    """
    server = json.dumps(servers(options)) if not options.servers else None
    shared = replace(options, server_url=None, server_protocol=None)
    return _publication(sources_of(routes, options), shared.as_key(), form, server)


@lru_cache(maxsize=_CACHED_PUBLICATIONS)
def _publication(
    sources: tuple[Source, ...], options: str, form: Format, server: str | None
) -> Publication:
    with making():  # who waits for it here finds it in the cache
        text = _text(sources, options, form)
    content = (text if server is None else _FILLERS[form](text, json.loads(server))).encode()
    return Publication(content, f'"{sha256(content).hexdigest()[:32]}"')


@lru_cache(maxsize=_CACHED_TEXTS)
def _text(sources: tuple[Source, ...], options: str, form: Format) -> str:
    """Write a document, with placeholders for the server unless the options name servers."""
    given = DocumentOptions.from_key(options)
    document = assembled(sources, given)
    if not given.servers:
        document = {**document, "servers": _PLACEHOLDERS}
    return _WRITERS[form](document)


def _fill_json(text: str, server: JSONObject) -> str:
    return text.replace(_json_entry(_PLACEHOLDERS), _json_entry(server))


def _json_entry(server: JSONObject) -> str:
    """Return the lines of `servers` as they are in the whole text: without the braces around them."""
    return to_json_text({"servers": server}).removeprefix("{\n").removesuffix("\n}\n")


def _fill_yaml(text: str, server: JSONObject) -> str:
    return text.replace(to_yaml_text({"servers": _PLACEHOLDERS}), to_yaml_text({"servers": server}))


def _fill_page(text: str, server: JSONObject) -> str:
    text = text.replace(_page_data(_PLACEHOLDERS), _page_data(server))
    for name, entry in server.items():
        shown = {_NAME: name, _PROTOCOL: entry["protocol"]}
        shown[_HOST] = entry["host"] + entry.get("pathname", "")
        for placeholder, value in shown.items():
            text = text.replace(placeholder, escape(value))
    return text


def _page_data(server: JSONObject) -> str:
    """Return the server as the page hands it to its scripts."""
    text = json.dumps(server, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _fill_module(text: str, server: JSONObject) -> str:
    for entry in server.values():
        url = f"{entry['protocol']}://{entry['host']}{entry.get('pathname', '')}"
        text = text.replace(f'"{_PROTOCOL}://{_HOST}"', json.dumps(url))
    return text


_FILLERS: Mapping[Format, Callable[[str, JSONObject], str]] = {
    "json": _fill_json,
    "yaml": _fill_yaml,
    "html": _fill_page,
    "js": _fill_module,
}
