"""One channel of the page."""

import json

from chanx.asyncapi.docs._example import example
from chanx.asyncapi.docs._html import Html, element, joined
from chanx.asyncapi.docs._schema import Schemas
from chanx.asyncapi.docs._tree import schema_tree
from chanx.type_defs import JSONObject

__all__ = ["channel_section", "paragraphs", "received_examples"]

_DIRECTIONS = {"receive": "Clients send", "send": "The server sends"}


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
        _tags(channel),
        paragraphs(channel.get("description")),
        _parameters(channel.get("parameters", {})),
        _credentials(document, key),
        element("div", class_="trial", data_channel=key),
        *(_group(document, key, action) for action in _DIRECTIONS),
        element("h3", "Messages"),
        *(_message(document, key, name) for name in channel.get("messages", {})),
        id=f"channel-{key}",
        class_="channel",
    )


def received_examples(document: JSONObject) -> JSONObject:
    """Return an example of each message that clients may send, by its reference."""
    schemas = Schemas(document["components"]["schemas"])
    return {
        message["$ref"]: example(_component(document, message["$ref"])["payload"], schemas)
        for operation in document["operations"].values()
        if operation["action"] == "receive"
        for message in operation["messages"]
    }


def paragraphs(text: str | None) -> Html | None:
    """Write text with its empty lines."""
    return joined(*(element("p", part) for part in text.split("\n\n"))) if text else None


def _component(document: JSONObject, reference: str) -> JSONObject:
    component: JSONObject = document["components"]["messages"][reference.rpartition("/")[2]]
    return component


def _tags(described: JSONObject) -> Html | None:
    tags = [element("li", tag["name"]) for tag in described.get("tags", ())]
    return element("ul", *tags, class_="tags") if tags else None


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


def _group(document: JSONObject, key: str, action: str) -> Html | None:
    channel = f"#/channels/{key}"
    operations = [
        _operation(name, operation)
        for name, operation in document["operations"].items()
        if operation["channel"]["$ref"] == channel and operation["action"] == action
    ]
    return joined(element("h3", _DIRECTIONS[action]), *operations) if operations else None


def _operation(name: str, operation: JSONObject) -> Html:
    reply = operation.get("reply", {}).get("messages")
    return element(
        "article",
        element("h4", element("code", name)),
        _tags(operation),
        element("p", operation["summary"]) if operation.get("summary") else None,
        paragraphs(operation.get("description")),
        _message_links("Messages", operation["messages"]),
        _message_links("Replies", reply) if reply else None,
        class_=f"operation {operation['action']}",
        id=f"operation-{name}",
    )


def _message_links(label: str, references: list[JSONObject]) -> Html:
    links = [_message_link(reference["$ref"]) for reference in references]
    separated = [part for link in links for part in (link, ", ")][:-1]
    return element("p", element("span", f"{label}: ", class_="note"), *(separated or ["none"]))


def _message_link(reference: str) -> Html:
    _, _, channel, _, name = reference.split("/")
    return element("a", element("code", name), href=f"#{_message_id(channel, name)}")


def _message_id(channel: str, name: str) -> str:
    return f"message-{channel}-{name}"


def _message(document: JSONObject, channel: str, name: str) -> Html:
    message = _component(document, name)
    schemas = Schemas(document["components"]["schemas"])
    payload = schemas.resolve(message["payload"]).schema
    shown = json.dumps(example(message["payload"], schemas), indent=2, ensure_ascii=False)
    return element(
        "details",
        element("summary", element("code", message.get("name", name)), " ", message.get("title")),
        paragraphs(payload.get("description")),
        element(
            "div",
            element("div", schema_tree(message["payload"], schemas)),
            element("pre", element("code", shown), tabindex="0", aria_label="Example"),
            class_="halves",
        ),
        class_="message",
        id=_message_id(channel, name),
        data_message=name,
    )
