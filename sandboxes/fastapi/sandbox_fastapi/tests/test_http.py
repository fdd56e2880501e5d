"""The page and the documents, without a server."""

import json
import re
from typing import Any

import pytest
import yaml

from chanx.constants import COMPLETE_ACTIONS
from sandbox_fastapi.main import app
from sandbox_fastapi.tests.support import get

# What the library sends by itself.
BUILT_IN = {"error", *COMPLETE_ACTIONS}


def actions_of(document: dict[str, Any], address: str) -> set[str]:
    """Return the actions of the messages of one channel."""
    (channel,) = (
        channel for channel in document["channels"].values() if channel["address"] == address
    )
    messages = (resolve(document, reference) for reference in channel["messages"].values())
    payloads = (resolve(document, message["payload"]) for message in messages)
    return {payload["properties"]["action"]["const"] for payload in payloads}


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Follow references to where they lead."""
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


async def test_the_document_describes_exactly_the_consumers() -> None:
    """Both, under their addresses, with their messages."""
    answer = await get(app, "/asyncapi.json")

    document = json.loads(answer.body)
    channels = {channel["address"]: channel for channel in document["channels"].values()}
    assert answer.status == 200
    assert document["asyncapi"].startswith("3.")
    assert document["info"]["title"] == "chanx FastAPI sandbox"
    assert set(channels) == {"/ws/room/{room_name}", "/ws/system"}
    assert set(channels["/ws/room/{room_name}"]["parameters"]) == {"room_name"}
    room, system = (
        actions_of(document, address) for address in ("/ws/room/{room_name}", "/ws/system")
    )
    assert room - BUILT_IN == {"room_chat", "room_notification", "ping", "pong"}
    assert system - BUILT_IN == {"user_message", "system_echo"}
    assert "error" in room & system


async def test_yaml_says_what_json_says() -> None:
    """One document in two spellings."""
    as_json, as_yaml = await get(app, "/asyncapi.json"), await get(app, "/asyncapi.yaml")

    assert as_yaml.status == 200
    assert yaml.safe_load(as_yaml.body) == json.loads(as_json.body)


async def test_the_documents_have_a_page() -> None:
    """A page, not a download."""
    answer = await get(app, "/asyncapi")

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_page_needs_nothing_but_this_server() -> None:
    """No inline script or style, nothing from elsewhere, and a policy that says so."""
    answer = await get(app, "/")

    html = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert all(
        tag.endswith("></script>") for tag in re.findall(r"<script.*?</script>", html, re.DOTALL)
    )
    assert not re.findall(r"\s(?:style|on\w+)=", html)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", html)


@pytest.mark.parametrize("file", ["chat.js", "chat.css", "icon.svg"])
async def test_what_the_page_loads_is_there(file: str) -> None:
    """Everything that the page refers to."""
    page = await get(app, "/")

    assert f'"/static/{file}"' in page.body.decode()
    assert (await get(app, f"/static/{file}")).status == 200


async def test_health() -> None:
    """A load balancer gets its answer."""
    assert json.loads((await get(app, "/health")).body) == {"status": "ok"}
