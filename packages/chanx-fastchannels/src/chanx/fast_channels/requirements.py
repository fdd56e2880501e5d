"""What FastAPI's dependencies need from the handshake, for documents; needs the extra `fastapi`."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi.security.base import SecurityBase

from chanx.asyncapi import ConsumerRoute
from chanx.asyncapi.requirements import (
    HandshakeParameter,
    Requirements,
    SecurityScheme,
    api_key,
    value_schema,
)
from chanx.core.handlers import HandlerSpec
from chanx.core.spec import ConsumerSpec
from chanx.fast_channels.dependencies import Dependencies
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer, connection_dependencies
from chanx.type_defs import JSONObject

__all__ = ["requirements_of"]

# Routes are discovered for each request of a document.
_CACHED_ROUTES = 256
_SENT_IN_HEADER = ("http", "oauth2", "openIdConnect")


@lru_cache(maxsize=_CACHED_ROUTES)
def requirements_of(route: ConsumerRoute) -> Requirements:
    """Look at the dependencies of a route's consumer and of its handlers.

    What a handler needs is not required from the connection: its messages are answered by an error instead.
    """
    consumer = route.consumer
    if not issubclass(consumer, AsyncJsonWebsocketConsumer):
        return Requirements()
    path_parameters = tuple(parameter.name for parameter in route.parameters)
    needed = _analysed(connection_dependencies(consumer), path_parameters)
    by_handler = {
        name: _analysed(getattr(handler.resolver, "__self__", None), (*path_parameters, *of_topic))
        for name, handler, of_topic in _handlers(consumer.spec)
    }
    optional = [part for parts in by_handler.values() for part in parts]
    return Requirements(
        tuple(_merged([*_parameters(needed, True), *_parameters(optional, False)])),
        _schemes(needed),
        tuple(
            (name, schemes) for name, parts in by_handler.items() if (schemes := _schemes(parts))
        ),
    )


def _handlers(spec: ConsumerSpec) -> Iterator[tuple[str, HandlerSpec, tuple[str, ...]]]:
    """Yield the handlers of a consumer and of its topics, with their names and the parameters of the topic."""
    for handler in spec.handlers.messages.values():
        yield handler.method_name, handler, ()
    for topic in spec.topics:
        for handler in topic.spec_for(spec.integration).handlers.messages.values():
            name = f"{topic.__name__}.{handler.method_name}"
            yield name, handler, topic.names.parameters


# Any: FastAPI's Dependant, which is no part of its public API.
def _analysed(dependencies: object, path: tuple[str, ...]) -> list[Any]:
    if not isinstance(dependencies, Dependencies):
        return []
    return [*_with_inner(dependencies.analysis(path))]


def _with_inner(dependant: Any) -> Iterator[Any]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _with_inner(inner)


def _parameters(dependants: list[Any], is_required: bool) -> Iterator[HandshakeParameter]:
    for dependant in dependants:
        yield from _values(dependant.query_params, "query", is_required)
        yield from _values(dependant.header_params, "header", is_required)
        for field in _shown(dependant.cookie_params):
            needed = is_required and bool(field.field_info.is_required())
            yield _cookie(field.alias, needed)
        if isinstance(dependant.call, SecurityBase):
            yield _of_scheme(dependant.call, is_required)


# Any: FastAPI's ModelField.
def _shown(fields: Iterable[Any]) -> list[Any]:
    return [field for field in fields if getattr(field.field_info, "include_in_schema", True)]


def _values(
    fields: Iterable[Any], location: Literal["query", "header"], is_required: bool
) -> Iterator[HandshakeParameter]:
    for field in _shown(fields):
        info = field.field_info
        schema = value_schema(Annotated[info.annotation, info])
        if not hasattr(info.annotation, "model_fields"):
            needed = is_required and bool(info.is_required())
            yield HandshakeParameter(field.alias, location, needed, schema)
            continue
        # A model stands for all its fields.
        for name, inner in schema.get("properties", {}).items():
            needed = is_required and name in schema.get("required", ())
            spelled = name.replace("_", "-") if location == "header" else name
            yield HandshakeParameter(spelled, location, needed, inner)


def _cookie(name: str, is_required: bool) -> HandshakeParameter:
    """Describe a cookie as the header that holds it: bindings of WebSockets have no place for cookies."""
    schema = {"type": "string", "description": f"Contains the cookie {name}"}
    return HandshakeParameter("Cookie", "header", is_required, schema)


def _of_scheme(scheme: Any, is_required: bool) -> HandshakeParameter:
    """Describe where a security class looks; one that raises no error by itself requires nothing."""
    needed = is_required and bool(getattr(scheme, "auto_error", True))
    model = scheme.model.model_dump(mode="json", by_alias=True)
    if model["type"] in _SENT_IN_HEADER:
        return HandshakeParameter("Authorization", "header", needed, {"type": "string"})
    if model["in"] == "cookie":
        return _cookie(model["name"], needed)
    return HandshakeParameter(model["name"], model["in"], needed, {"type": "string"})


def _merged(parameters: Iterable[HandshakeParameter]) -> Iterable[HandshakeParameter]:
    """Name each parameter once, as it is first described; one that is required somewhere is required."""
    found: dict[tuple[str, str], HandshakeParameter] = {}
    for one in parameters:
        known = found.get((one.name, one.location), one)
        needed = known.is_required or one.is_required
        schema = {**known.schema, **_all_descriptions(known.schema, one.schema)}
        found[one.name, one.location] = HandshakeParameter(one.name, one.location, needed, schema)
    return found.values()


def _all_descriptions(*schemas: JSONObject) -> JSONObject:
    """Keep what each says: the header of the cookies is described by every one of them."""
    texts = dict.fromkeys(schema["description"] for schema in schemas if "description" in schema)
    return {"description": "; ".join(texts)} if texts else {}


def _schemes(dependants: list[Any]) -> tuple[SecurityScheme, ...]:
    found = [_scheme(one) for one in dependants if isinstance(one.call, SecurityBase)]
    return tuple(scheme for number, scheme in enumerate(found) if scheme not in found[:number])


def _scheme(dependant: Any) -> SecurityScheme:
    """Write a scheme of OpenAPI as AsyncAPI has it."""
    model = dependant.call.model.model_dump(mode="json", by_alias=True, exclude_none=True)
    described = {"description": model["description"]} if "description" in model else {}
    if model["type"] == "apiKey":
        scheme = api_key(model["name"], model["in"])
        return SecurityScheme(scheme.key, {**scheme.content, **described})
    if model["type"] == "oauth2":
        flows = {name: _flow(flow) for name, flow in model["flows"].items()}
        scopes = [*(getattr(dependant, "parent_oauth_scopes", None) or ())]
        scopes += getattr(dependant, "own_oauth_scopes", None) or ()
        model = {**model, "flows": flows, **({"scopes": scopes} if scopes else {})}
    return SecurityScheme(dependant.call.scheme_name, model)


def _flow(flow: JSONObject) -> JSONObject:
    known = {name: value for name, value in flow.items() if name != "scopes"}
    return {**known, "availableScopes": flow["scopes"]}
