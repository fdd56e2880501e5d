"""The document: a function of routes and options."""

from collections.abc import Iterable
from copy import deepcopy
from functools import lru_cache
from typing import Any

from chanx.asyncapi.channels import channel
from chanx.asyncapi.making import making
from chanx.asyncapi.messages import REF_CORRELATION, Messages
from chanx.asyncapi.naming import UniqueNames, legal_name
from chanx.asyncapi.operations import operations
from chanx.asyncapi.options import DocumentOptions
from chanx.asyncapi.routes import ConsumerRoute
from chanx.asyncapi.security import SecuritySchemes
from chanx.asyncapi.servers import servers
from chanx.asyncapi.sources import Source, sources_of_route
from chanx.type_defs import JSONObject

__all__ = ["generate_document"]

_CACHED_APPLICATIONS = 16


def generate_document(
    routes: Iterable[ConsumerRoute], options: DocumentOptions | None = None
) -> dict[str, Any]:
    """Describe the given routes as an AsyncAPI document, which is the caller's to change.

    The same routes and options give the same document, whatever the hash seed. What costs time is done once for the
    same routes, as long as the options of their consumers stay what they are.
    """
    options = options or DocumentOptions()
    return deepcopy(assembled(sources_of(routes, options), options))


def sources_of(routes: Iterable[ConsumerRoute], options: DocumentOptions) -> tuple[Source, ...]:
    """Look at the consumers of the routes as they are now: what a document depends on."""
    return tuple(source for route in routes for source in sources_of_route(route, options))


def assembled(sources: tuple[Source, ...], options: DocumentOptions) -> JSONObject:
    """Return a document that shares its parts with others: read it only."""
    with making():
        parts = _parts(sources)
    components = parts["components"]
    if options.security_schemes:
        own = components.get("securitySchemes", {})
        components = {**components, "securitySchemes": {**own, **options.security_schemes}}
    return {
        "asyncapi": options.asyncapi_version,
        "info": _info(options),
        "defaultContentType": "application/json",
        "servers": servers(options),
        "channels": parts["channels"],
        "operations": parts["operations"],
        "components": components,
    }


def _info(options: DocumentOptions) -> JSONObject:
    info: JSONObject = {"title": options.title, "version": options.version}
    return {**info, "description": options.description} if options.description else info


@lru_cache(maxsize=_CACHED_APPLICATIONS)
def _parts(sources: tuple[Source, ...]) -> JSONObject:
    messages = Messages(use for source in sources for use in source.uses())
    schemes = SecuritySchemes(sources)
    channels: JSONObject = {}
    named_operations: JSONObject = {}
    channel_names, operation_names = UniqueNames(), UniqueNames()
    for source in sources:
        name = source.name
        key = channel_names.take(name, f"{name}_{legal_name(source.route.address)}")
        channels[key] = channel(source, messages)
        for action, operation in operations(source, key, messages, schemes):
            named_operations[operation_names.take(action, f"{key}_{action}")] = operation
    return {
        "channels": channels,
        "operations": named_operations,
        "components": _components(messages, schemes),
    }


def _components(messages: Messages, schemes: SecuritySchemes) -> JSONObject:
    components: JSONObject = {
        "messages": messages.components,
        "schemas": messages.schemas.definitions,
    }
    if messages.correlates():
        components["correlationIds"] = {"ref": REF_CORRELATION}
    if schemes.components:
        components["securitySchemes"] = schemes.components
    return components
