"""Topics on the page: their names and parameters, and the channels that share their address."""

import re
from typing import Any

from chanx.asyncapi.channels import TOPIC
from chanx.asyncapi.controls import CONTROL
from chanx.asyncapi.docs._example import example
from chanx.asyncapi.docs._html import Html, element, joined
from chanx.asyncapi.docs._schema import Schemas
from chanx.asyncapi.docs._tree import schema_tree
from chanx.type_defs import JSONObject

__all__ = ["message_example", "topic_parameters", "topic_part"]

_PLACEHOLDER = re.compile(r"{([^{}]+)}")
_DEFAULT = (
    "Connecting subscribes to this topic: its parameters are those of the path. "
    "Frames that name no topic belong to it."
)


def topic_part(document: JSONObject, key: str) -> Html | None:
    """Write the names of a topic; for every channel, the topics at its address."""
    topic = document["channels"][key].get(TOPIC)
    neighbours = _neighbours(document, key)
    if topic is None:
        return neighbours
    parameters = schema_tree(topic.get("schema", {}), Schemas(document["components"]["schemas"]))
    return joined(
        element("p", "Topic ", element("code", topic["pattern"]), class_="topic-pattern"),
        neighbours,
        element("p", _DEFAULT, class_="note") if _is_default(document, key) else None,
        joined(element("h3", "Parameters of the topic"), parameters) if parameters else None,
    )


def topic_parameters(document: JSONObject) -> JSONObject:
    """Return an example of each parameter, by the key of the topic's channel."""
    return {
        key: _values(channel[TOPIC])
        for key, channel in document["channels"].items()
        if TOPIC in channel
    }


def message_example(document: JSONObject, key: str, payload: JSONObject) -> Any:
    """Return an example of a message on a channel; one that names a topic names the channel's."""
    found = example(payload, Schemas(document["components"]["schemas"]))
    topic = document["channels"][key].get(TOPIC)
    return {**found, "topic": _name(topic)} if topic and "topic" in found else found


def _values(topic: JSONObject) -> dict[str, str]:
    properties = topic.get("schema", {}).get("properties", {})
    return {name: _text(example(schema, Schemas({}))) for name, schema in properties.items()}


def _text(value: Any) -> str:
    """Write a value as it stands in a name, which separates its parts by colons."""
    written = str(value).lower() if isinstance(value, bool) else str(value)
    return written.replace(":", "")


def _name(topic: JSONObject) -> str:
    values = _values(topic)
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), topic["pattern"])


def _neighbours(document: JSONObject, key: str) -> Html | None:
    """Link the channels that share the address, if one of them all is a topic."""
    channels: JSONObject = document["channels"]
    shared = {
        other: channel
        for other, channel in channels.items()
        if channel["address"] == channels[key]["address"]
    }
    others = [other for other in shared if other != key]
    if not others or not any(TOPIC in channel for channel in shared.values()):
        return None
    links = [
        element("a", shared[other].get("title", other), href=f"#channel-{other}")
        for other in others
    ]
    separated = [part for link in links for part in (link, ", ")][:-1]
    return element(
        "p",
        element("span", "Shares its address with: ", class_="note"),
        *separated,
        class_="shares",
    )


def _is_default(document: JSONObject, key: str) -> bool:
    """Tell whether clients may leave the topic out of a message."""
    schemas = Schemas(document["components"]["schemas"])
    return any(
        "topic" in found.get("properties", {}) and "topic" not in found.get("required", ())
        for found in (schemas.resolve(payload).schema for payload in _received(document, key))
    )


def _received(document: JSONObject, key: str) -> list[JSONObject]:
    return [
        document["components"]["messages"][message["$ref"].rpartition("/")[2]]["payload"]
        for operation in document["operations"].values()
        if operation["channel"]["$ref"] == f"#/channels/{key}"
        and operation["action"] == "receive"
        and CONTROL not in operation
        for message in operation["messages"]
    ]
