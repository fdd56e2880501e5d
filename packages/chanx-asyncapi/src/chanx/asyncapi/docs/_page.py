"""The page."""

from collections.abc import Callable
from typing import Any

from chanx.asyncapi.docs._assets import SCRIPTS, asset_link
from chanx.asyncapi.docs._channel import channel_section, received_examples
from chanx.asyncapi.docs._html import Html, element, joined
from chanx.asyncapi.docs._operation import Operation, channel_operations, paragraphs
from chanx.asyncapi.docs._topic import topic_parameters
from chanx.asyncapi.text import to_compact_text
from chanx.type_defs import JSONObject

__all__ = ["docs_page", "error_page"]

Link = Callable[[str], str]

_VIEWPORT = Html(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
)
_ARROWS = {"receive": "→", "request": "⇄", "send": "←", "subscription": "→", "control": "→"}


def docs_page(document: JSONObject, link: Link = asset_link) -> str:
    """Write a document as a page of HTML; `link` says where its files are."""
    body = joined(
        element("a", "Skip to the content", class_="skip", href="#content"),
        _header(document),
        element("div", _contents(document), _main(document), class_="columns"),
        _data(document),
        *(element("script", src=link(name), defer=True) for name in SCRIPTS),
    )
    return _whole(document["info"]["title"], body, link)


def error_page(message: str, link: Link = asset_link) -> str:
    """Write a page that says what went wrong, without details of the server."""
    advice = "See the server log. Please try again later."
    return _whole(
        "Error", element("main", element("h1", "Error"), element("p", f"{message}. {advice}")), link
    )


def _whole(title: str, body: Html, link: Link) -> str:
    head = joined(
        _VIEWPORT,
        element("title", title),
        Html(f'<link rel="icon" type="image/svg+xml" href="{_escaped(link("icon.svg"))}">'),
        Html(f'<link rel="stylesheet" href="{_escaped(link("style.css"))}">'),
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _escaped(address: str) -> str:
    return address.replace("&", "&amp;")


def _header(document: JSONObject) -> Html:
    info = document["info"]
    title = element("h1", info["title"], " ", element("span", info["version"], class_="version"))
    search = element(
        "label",
        element("span", "Search"),
        Html(
            '<input type="search" id="search" placeholder="Channels, messages, fields" autocomplete="off">'
        ),
        class_="search",
    )
    # The scripts bring these to life, and show them.
    tools = element(
        "div",
        search,
        element("button", "Download", id="download", type="button"),
        element("button", "Theme", id="theme", type="button"),
        element("p", id="found", role="status"),
        class_="tools",
        hidden=True,
    )
    return element("header", title, tools)


def _contents(document: JSONObject) -> Html:
    channels = [_contents_of(document, key) for key in document["channels"]]
    listed = element("ul", *channels)
    return element(
        "nav",
        element("details", element("summary", "Contents"), listed, open=True),
        aria_label="Contents",
    )


def _contents_of(document: JSONObject, key: str) -> Html:
    channel = document["channels"][key]
    operations = [_contents_line(key, one) for one in channel_operations(document, key)]
    heading = element("a", channel.get("title", key), href=f"#channel-{key}")
    return element("li", heading, element("ul", *operations))


def _contents_line(key: str, operation: Operation) -> Html:
    kind, name = operation.kind, operation.name
    return element(
        "li",
        element("span", _ARROWS[kind], class_=kind, aria_hidden="true"),
        " ",
        element("a", operation.label.removeprefix(f"{key}_"), href=f"#operation-{name}"),
    )


def _main(document: JSONObject) -> Html:
    sections = [channel_section(document, key) for key in document["channels"]]
    nothing = element("p", "This document has no channels.")
    return element(
        "main", _introduction(document), *(sections or [nothing]), id="content", tabindex="-1"
    )


def _introduction(document: JSONObject) -> Html:
    info = document["info"]
    servers = [
        element("li", element("code", _address(server)), " ", element("span", name, class_="limit"))
        for name, server in document["servers"].items()
    ]
    schemes = document["components"].get("securitySchemes", {})
    return element(
        "div",
        paragraphs(info.get("description")),
        element("h2", "Servers"),
        element("ul", *servers, class_="plain"),
        element("h2", "Credentials") if schemes else None,
        element("ul", *(_scheme(name, scheme) for name, scheme in schemes.items()), class_="plain")
        if schemes
        else None,
        class_="introduction",
    )


def _address(server: JSONObject) -> str:
    return f"{server.get('protocol', 'ws')}://{server.get('host', '')}{server.get('pathname', '')}"


def _scheme(name: str, scheme: JSONObject) -> Html:
    place = (
        f"{scheme['in']} {scheme['name']}"
        if "name" in scheme and "in" in scheme
        else scheme.get("type")
    )
    return element(
        "li", element("code", place), " ", scheme.get("description"), id=f"security-{name}"
    )


def _data(document: JSONObject) -> Html:
    """Hand the document to the scripts. A block of data is no script, so the strictest policy allows it."""
    content: dict[str, Any] = {
        "document": document,
        "examples": received_examples(document),
        "topics": topic_parameters(document),
    }
    text = to_compact_text(content)
    # Nothing in it may end the block, or begin a comment.
    safe = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Html(f'<script type="application/json" id="document">{safe}</script>')
