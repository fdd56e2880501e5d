"""One channel of the page."""

import json

from chanx.asyncapi.docs._html import Html, element, joined
from chanx.asyncapi.docs._operation import (
    component_of,
    message_actions_of,
    message_id,
    operation_groups,
    paragraphs,
    tags,
)
from chanx.asyncapi.docs._schema import Schemas
from chanx.asyncapi.docs._topic import message_example, topic_part
from chanx.asyncapi.docs._tree import schema_tree
from chanx.type_defs import JSONObject

__all__ = ["channel_section", "received_examples"]


def channel_section(document: JSONObject, key: str) -> Html:
    """Write a channel: where it is, what travels, and room to try it."""
    channel = document["channels"][key]
    link = element(
        "a", "#", href=f"#channel-{key}", class_="link", aria_label="Link to this channel"
    )
    return element(
        "section",
        element("h2", channel.get("title", key), " ", link),
        element("p", element("code", channel["address"]), class_="address"),
        tags(channel),
        paragraphs(channel.get("description")),
        topic_part(document, key),
        _parameters(channel.get("parameters", {})),
        _credentials(document, key),
        element("div", class_="trial", data_channel=key),
        operation_groups(document, key),
        element("h3", "Messages"),
        *(_message(document, key, name) for name in channel.get("messages", {})),
        id=f"channel-{key}",
        class_="channel",
    )


def received_examples(document: JSONObject) -> JSONObject:
    """Return an example of each message that clients may send, answers to the server among them, by its reference."""
    return {
        message["$ref"]: message_example(
            document,
            operation["channel"]["$ref"].rpartition("/")[2],
            component_of(document, message["$ref"])["payload"],
        )
        for operation in document["operations"].values()
        for message in _from_client(operation)
    }


def _from_client(operation: JSONObject) -> list[JSONObject]:
    part = operation if operation["action"] == "receive" else operation.get("reply", {})
    messages: list[JSONObject] = part.get("messages", [])
    return messages


def _parameters(parameters: JSONObject) -> Html | None:
    rows = [
        element("li", element("code", name), " ", parameter.get("description"))
        for name, parameter in parameters.items()
    ]
    return (
        joined(element("h3", "Parameters"), element("ul", *rows, class_="plain")) if rows else None
    )


def _credentials(document: JSONObject, key: str) -> Html | None:
    names = {
        scheme["$ref"].rpartition("/")[2]: None
        for operation in document["operations"].values()
        if operation["channel"]["$ref"] == f"#/channels/{key}"
        for scheme in operation.get("security", ())
    }
    links = [element("a", name, href=f"#security-{name}") for name in names]
    if not links:
        return None
    separated = [part for link in links for part in (link, " or ")][:-1]
    return element("p", element("span", "Credentials: ", class_="note"), *separated)


def _message(document: JSONObject, channel: str, name: str) -> Html:
    message = component_of(document, name)
    schemas = Schemas(document["components"]["schemas"])
    payload = schemas.resolve(message["payload"]).schema
    found = message_example(document, channel, message["payload"])
    shown = json.dumps(found, indent=2, ensure_ascii=False)
    return element(
        "details",
        element(
            "summary",
            element("code", ", ".join(message_actions_of(document, name))),
            " ",
            message.get("title"),
        ),
        paragraphs(payload.get("description")),
        element(
            "div",
            element("div", schema_tree(message["payload"], schemas)),
            element("pre", element("code", shown), tabindex="0", aria_label="Example"),
            class_="halves",
        ),
        class_="message",
        id=message_id(channel, name),
        data_message=name,
    )
