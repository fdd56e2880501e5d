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
BUILT_IN = {"error", "resync", *COMPLETE_ACTIONS}


def actions_of(document: dict[str, Any], address: str) -> set[str]:
    """Return the actions of the messages of one consumer."""
    (channel,) = (
        channel
        for channel in document["channels"].values()
        if channel["address"] == address and "x-topic" not in channel
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


ADDRESSES = {
    "/ws/hub": {"introduce", "introduced"},
    "/ws/system": {"user_message", "system_echo"},
    "/ws/room/{room_name}": {"room_chat", "room_notification"},
    "/ws/background_jobs": {"job", "job_status"},
    "/ws/file_check": {"check_files", "check_progress", "check_result", "cancel", "more"},
    "/ws/chat": {"chat", "chat_notification", "system_notice"},
    "/ws/reliable": {"chat", "chat_notification", "system_notice"},
    "/ws/notifications": {"publish_notification", "notification", "system_notice"},
    "/ws/analytics": {"analytics", "analytics_recorded", "system_notice"},
}


TOPICS = {"room:{room}", "chat", "notifications:{level}"}


async def test_the_document_describes_exactly_the_consumers() -> None:
    """All, under their addresses, with their messages."""
    answer = await get(app, "/asyncapi.json")

    document = json.loads(answer.body)
    channels = {channel["address"]: channel for channel in document["channels"].values()}
    assert answer.status == 200
    assert document["asyncapi"].startswith("3.")
    assert document["info"]["title"] == "chanx FastAPI sandbox"
    assert set(channels) == set(ADDRESSES)
    topics = [
        channel["x-topic"] for channel in document["channels"].values() if "x-topic" in channel
    ]
    assert {topic["pattern"] for topic in topics} == TOPICS
    assert set(channels["/ws/room/{room_name}"]["parameters"]) == {"room_name"}
    for address, actions in ADDRESSES.items():
        found = actions_of(document, address)
        assert found - BUILT_IN == actions | {"ping", "pong"}
        assert "error" in found


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


@pytest.mark.parametrize("file", ["sandbox.js", "sandbox.css", "icon.svg"])
async def test_what_the_page_loads_is_there(file: str) -> None:
    """Everything that the page refers to."""
    page = await get(app, "/")

    assert f'"/static/{file}"' in page.body.decode()
    assert (await get(app, f"/static/{file}")).status == 200


@pytest.mark.parametrize("file", ["hub.js", "sandbox.js"])
async def test_the_page_imports_the_client(file: str) -> None:
    """Under names that the client has."""
    script = await get(app, f"/static/{file}")
    client = await get(app, "/asyncapi/client.js")

    ((names, _),) = re.findall(
        r'^import {(.+)} from "(/asyncapi/client.js)";$', script.body.decode(), re.MULTILINE
    )
    exported = re.findall(r"^export (?:const|class) (\w+)", client.body.decode(), re.MULTILINE)
    assert (client.status, client.headers["content-type"].partition(";")[0]) == (
        200,
        "text/javascript",
    )
    assert set(names.replace(" ", "").split(",")) <= set(exported)


async def test_health() -> None:
    """A load balancer gets its answer."""
    assert json.loads((await get(app, "/health")).body) == {"status": "ok"}
