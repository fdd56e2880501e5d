"""The generator of the single package `chanx`, over `generate_document()`; new code calls that."""

from collections.abc import Iterable, Mapping
from typing import Any

from chanx.asyncapi.document import generate_document
from chanx.asyncapi.options import DEFAULT_TITLE, DocumentOptions
from chanx.asyncapi.routes import ConsumerRoute
from chanx.type_defs import JSONObject

__all__ = ["AsyncAPIGenerator"]

_SERVER_FIELDS = ("host", "protocol")


class AsyncAPIGenerator:
    """Describes the routes that `discover_routes()` of an integration returns.

    Without `camelize`, each consumer is described with the field names that it sends. Raises ValueError for a server
    without `host` or `protocol`.
    """

    def __init__(
        self,
        routes: Iterable[ConsumerRoute],
        title: str = DEFAULT_TITLE,
        version: str = "1.0.0",
        description: str | None = None,
        server_url: str | None = None,
        server_protocol: str | None = None,
        camelize: bool | None = None,
        servers: Mapping[str, JSONObject] | None = None,
        security_schemes: Mapping[str, JSONObject] | None = None,
    ) -> None:
        _check_servers(servers or {})
        self.routes: tuple[ConsumerRoute, ...] = tuple(routes)
        self.options: DocumentOptions = DocumentOptions(
            title=title,
            version=version,
            description=description,
            server_url=server_url,
            server_protocol=server_protocol,
            camelize=camelize,
            servers=servers,
            security_schemes=security_schemes,
        )
        self.channels: JSONObject = {}
        self.operations: JSONObject = {}

    def generate(self) -> dict[str, Any]:
        """Return the document, and keep its channels and operations."""
        document = generate_document(self.routes, self.options)
        self.channels, self.operations = document["channels"], document["operations"]
        return document


def _check_servers(servers: Mapping[str, JSONObject]) -> None:
    for name, server in servers.items():
        missing = [field for field in _SERVER_FIELDS if not server.get(field)]
        if missing:
            raise ValueError(
                f"The server {name!r} of AsyncAPIGenerator has no {' and no '.join(missing)}: "
                'write servers={"production": {"host": "api.example.com", "protocol": "wss"}}.'
            )
