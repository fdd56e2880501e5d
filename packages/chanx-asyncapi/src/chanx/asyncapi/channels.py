"""The channels of a document: one for each route, and one for each topic of its consumer."""

import re

from chanx.asyncapi.close_codes import CLOSE_CODES, HEARTBEAT_INTERVAL, close_codes
from chanx.asyncapi.messages import Messages
from chanx.asyncapi.requirements import value_schema
from chanx.asyncapi.sources import Source
from chanx.core.authenticator import Credential
from chanx.core.spec import TopicClass
from chanx.type_defs import JSONObject

__all__ = ["TOPIC", "channel"]

TOPIC = "x-topic"
"""The key inside a channel: the class of topics that it describes."""

_PLACEHOLDER = re.compile(r"{([^{}]+)}")


def channel(source: Source, messages: Messages) -> JSONObject:
    """Return the channel of one route, or of one topic on it."""
    info = source.spec.channel
    content: JSONObject = {"address": source.route.address, "title": source.name}
    optional: JSONObject = {
        "description": info.get("description"),
        "parameters": _parameters(source),
        TOPIC: _topic(source),
        "messages": {
            key: {"$ref": f"#/components/messages/{key}"}
            for key in sorted(messages.keys(source.uses()))
        },
        "bindings": _bindings(source),
        "tags": [{"name": tag} for tag in info.get("tags") or ()],
        **_connection(source),
    }
    return content | {name: value for name, value in optional.items() if value}


def _connection(source: Source) -> JSONObject:
    """Say how connections of the route live and end; a topic beside its consumer's channel does not repeat it."""
    if not source.speaks_for_connection and source.topic is not None:
        return {}
    return {
        CLOSE_CODES: close_codes(source.endings),
        HEARTBEAT_INTERVAL: source.heartbeat_interval,
    }


def _parameters(source: Source) -> JSONObject:
    """Describe what the address holds, and nothing else: both must agree for clients to fill it."""
    kinds = {parameter.name: parameter.kind for parameter in source.route.parameters}
    return {
        name: {"description": f"Path parameter for {name} ({kinds.get(name, 'str')})"}
        for name in _PLACEHOLDER.findall(source.route.address)
    }


def _topic(source: Source) -> JSONObject:
    topic = source.topic
    if topic is None:
        return {}
    names = topic.names
    described: JSONObject = {
        "name": source.spec.snake_name,
        "pattern": names.pattern,
        "parameters": [*names.parameters],
    }
    if names.parameters:
        described["schema"] = _annotations(topic)
    if topic.history is not None:
        described["history"] = {
            "size": topic.history.size,
            "seconds": topic.history.seconds,
            "replay": topic.history.replay,
        }
    return described


def _annotations(topic: TopicClass) -> JSONObject:
    """Say what the parameters of a topic's names are converted to."""
    written = value_schema(topic.names.model)["properties"]
    properties = {
        name: {key: value for key, value in schema.items() if key != "title"}
        for name, schema in written.items()
    }
    return {"type": "object", "properties": properties, "required": [*properties]}


def _bindings(source: Source) -> JSONObject:
    places = {"query": "query", "headers": "header"}
    found = {binding: _values(source, location) for binding, location in places.items()}
    binding = {name: schema for name, schema in found.items() if schema["properties"]}
    return {"ws": {**binding, "bindingVersion": "0.1.0"}} if binding else {}


def _values(source: Source, location: str) -> JSONObject:
    """Describe what the query, or the headers, hold."""
    parameters = [p for p in source.route.requirements.parameters if p.location == location]
    credentials = {
        credential.name: {"type": "string", **_description(credential)}
        for credential in source.credentials
        if credential.location == location
    }
    properties = {**credentials, **{one.name: one.schema for one in parameters}}
    required = [parameter.name for parameter in parameters if parameter.is_required]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _description(credential: Credential) -> JSONObject:
    return {"description": credential.description} if credential.description else {}
