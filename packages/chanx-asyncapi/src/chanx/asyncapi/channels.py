"""The channels of a document: one for each route."""

import re

from chanx.asyncapi.messages import Messages
from chanx.asyncapi.sources import Source
from chanx.core import _guard as _guard
from chanx.core.authenticator import Credential
from chanx.type_defs import JSONObject

__all__ = ["channel", "security_scheme_key", "security_schemes"]

_PLACEHOLDER = re.compile(r"{([^{}]+)}")


def channel(source: Source, messages: Messages) -> JSONObject:
    """Return the channel of one route."""
    info = source.spec.channel
    content: JSONObject = {"address": source.route.address, "title": info.get("name")}
    optional: JSONObject = {
        "description": info.get("description"),
        "parameters": _parameters(source),
        "messages": {
            key: {"$ref": f"#/components/messages/{key}"}
            for key in sorted(messages.keys(source.uses()))
        },
        "bindings": _bindings(source),
        "tags": [{"name": tag} for tag in info.get("tags") or ()],
    }
    return content | {name: value for name, value in optional.items() if value}


def _parameters(source: Source) -> JSONObject:
    """Describe what the address holds, and nothing else: both must agree for clients to fill it."""
    kinds = {parameter.name: parameter.kind for parameter in source.route.parameters}
    return {
        name: {"description": f"Path parameter for {name} ({kinds.get(name, 'str')})"}
        for name in _PLACEHOLDER.findall(source.route.address)
    }


def _bindings(source: Source) -> JSONObject:
    places = {"query": "query", "headers": "header"}
    found = {binding: _properties(source, location) for binding, location in places.items()}
    binding: JSONObject = {
        name: {"type": "object", "properties": properties}
        for name, properties in found.items()
        if properties
    }
    return {"ws": {**binding, "bindingVersion": "0.1.0"}} if binding else {}


def _properties(source: Source, location: str) -> JSONObject:
    return {
        credential.name: {"type": "string", **_description(credential)}
        for credential in source.credentials
        if credential.location == location
    }


def security_scheme_key(credential: Credential) -> str:
    """Return the key of a credential's security scheme: `query_token`, `header_x_api_key`."""
    name = re.sub(r"[^a-z0-9]+", "_", credential.name.lower())
    return f"{credential.location}_{name}"


def security_schemes(source: Source) -> JSONObject:
    """Return the security schemes that a channel's authenticator stands for."""
    return {
        security_scheme_key(credential): {
            "type": "httpApiKey",
            "name": credential.name,
            "in": credential.location,
            **_description(credential),
        }
        for credential in source.credentials
    }


def _description(credential: Credential) -> JSONObject:
    return {"description": credential.description} if credential.description else {}
