"""The security schemes of a document, and who asks for which."""

import json
from collections.abc import Iterable
from dataclasses import replace

from chanx.asyncapi.naming import UniqueNames
from chanx.asyncapi.requirements import SecurityScheme, api_key
from chanx.asyncapi.sources import Source
from chanx.core.authenticator import Credential
from chanx.core.handlers import HandlerSpec
from chanx.type_defs import JSONObject

__all__ = ["SecuritySchemes"]


class SecuritySchemes:
    """Schemes by key: two that differ in more than their description have two keys."""

    def __init__(self, sources: Iterable[Source]) -> None:
        names = UniqueNames()
        self._keys: dict[str, str] = {}
        found: dict[str, JSONObject] = {}
        for source in sources:
            for scheme in _all_schemes(source):
                if _identity(scheme) not in self._keys:
                    self._keys[_identity(scheme)] = names.take(scheme.key)
                found[self._keys[_identity(scheme)]] = scheme.content
        self.components: dict[str, JSONObject] = dict(sorted(found.items()))

    def references(self, source: Source, handler: HandlerSpec | None = None) -> list[JSONObject]:
        """Point to the schemes of a connection, and of one of its handlers."""
        schemes = [*_connection_schemes(source), *_handler_schemes(source, handler)]
        keys = dict.fromkeys(self._keys[_identity(scheme)] for scheme in schemes)
        return [{"$ref": f"#/components/securitySchemes/{key}"} for key in keys]


def _all_schemes(source: Source) -> list[SecurityScheme]:
    handlers = source.route.requirements.handler_schemes
    return [
        *_connection_schemes(source),
        *(scheme for _, schemes in handlers for scheme in schemes),
    ]


def _connection_schemes(source: Source) -> list[SecurityScheme]:
    credentials = [_of_credential(credential) for credential in source.credentials]
    return [*credentials, *source.route.requirements.schemes]


def _handler_schemes(source: Source, handler: HandlerSpec | None) -> tuple[SecurityScheme, ...]:
    if handler is None:
        return ()
    name = handler.method_name
    if source.topic is not None:
        name = f"{source.topic.__name__}.{name}"
    return dict(source.route.requirements.handler_schemes).get(name, ())


def _of_credential(credential: Credential) -> SecurityScheme:
    scheme = api_key(credential.name, credential.location)
    described = {"description": credential.description} if credential.description else {}
    return replace(scheme, content={**scheme.content, **described})


def _identity(scheme: SecurityScheme) -> str:
    content = {name: value for name, value in scheme.content.items() if name != "description"}
    return json.dumps([scheme.key, content], sort_keys=True)
