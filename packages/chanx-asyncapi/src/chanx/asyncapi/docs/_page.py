"""The page."""

import json
from typing import Any

from chanx.asyncapi.docs._example import example
from chanx.asyncapi.docs._html import Html, element, joined
from chanx.asyncapi.docs._schema import Schemas
from chanx.asyncapi.docs._tree import schema_tree
from chanx.type_defs import JSONObject

__all__ = ["docs_page"]

_DIRECTIONS = {"receive": "client sends", "send": "server sends"}


def docs_page(document: JSONObject) -> str:
    """Write a document as a page of HTML."""
    info = document["info"]
    head = joined(
        Html(
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        ),
        element("title", info["title"]),
        Html('<link rel="stylesheet" href="?asset=style.css">'),
    )
    body = joined(_header(document), _contents(document), _main(document))
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _header(document: JSONObject) -> Html:
    info = document["info"]
    servers = [
        element("li", element("code", _address(server)), " ", element("span", name, class_="limit"))
        for name, server in document["servers"].items()
    ]
    title = element("h1", info["title"], " ", element("span", info["version"], class_="version"))
    return element(
        "header",
        title,
        _paragraphs(info.get("description")),
        element("ul", *servers, class_="servers"),
    )


def _address(server: JSONObject) -> str:
    return f"{server.get('protocol', 'ws')}://{server.get('host', '')}{server.get('pathname', '')}"


def _paragraphs(text: str | None) -> Html | None:
    return joined(*(element("p", part) for part in text.split("\n\n"))) if text else None


def _contents(document: JSONObject) -> Html:
    links = [
        element("li", element("a", channel.get("title", key), href=f"#channel-{key}"))
        for key, channel in document["channels"].items()
    ]
    return element("nav", element("ul", *links), aria_label="Channels")


def _main(document: JSONObject) -> Html:
    sections = [_channel(document, key) for key in document["channels"]]
    return element("main", *(sections or [element("p", "There are no channels yet.")]))


def _channel(document: JSONObject, key: str) -> Html:
    channel = document["channels"][key]
    return element(
        "section",
        element("h2", channel.get("title", key)),
        element("p", element("code", channel["address"]), class_="address"),
        _paragraphs(channel.get("description")),
        _parameters(channel.get("parameters", {})),
        element("h3", "Operations"),
        *_operations(document, key),
        element("h3", "Messages"),
        *(_message(document, key, name) for name in channel.get("messages", {})),
        id=f"channel-{key}",
    )


def _parameters(parameters: JSONObject) -> Html | None:
    rows = [
        element("li", element("code", name), " ", parameter.get("description"))
        for name, parameter in parameters.items()
    ]
    return element("ul", *rows, class_="parameters") if rows else None


def _operations(document: JSONObject, key: str) -> list[Html]:
    channel = f"#/channels/{key}"
    return [
        _operation(name, operation)
        for name, operation in document["operations"].items()
        if operation["channel"]["$ref"] == channel
    ]


def _operation(name: str, operation: JSONObject) -> Html:
    reply = operation.get("reply", {}).get("messages")
    return element(
        "article",
        element(
            "h4",
            element(
                "span", _DIRECTIONS[operation["action"]], class_=f"direction {operation['action']}"
            ),
            " ",
            element("code", name),
        ),
        element("p", operation["summary"]) if operation.get("summary") else None,
        _paragraphs(operation.get("description")),
        _message_links("Messages", operation["messages"]),
        _message_links("Answered by", reply) if reply else None,
        class_="operation",
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
    components = document["components"]
    message = components["messages"][name]
    schemas = Schemas(components["schemas"])
    payload = schemas.resolve(message["payload"]).schema
    return element(
        "details",
        element("summary", element("code", message["name"]), " ", message["title"]),
        _paragraphs(payload.get("description")),
        schema_tree(message["payload"], schemas),
        element("pre", element("code", _json(example(message["payload"], schemas))), tabindex="0"),
        class_="message",
        id=_message_id(channel, name),
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
