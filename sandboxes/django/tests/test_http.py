"""The page and the documents, without a server."""

import json
import re
from http import HTTPStatus

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse


def test_the_document_describes_exactly_the_consumers() -> None:
    """The one consumer, under its address, with its messages."""
    answer = Client().get(reverse("asyncapi_schema"), {"format": "json"})

    document = json.loads(answer.content)
    (channel,) = document["channels"].values()
    assert answer.status_code == HTTPStatus.OK
    assert document["asyncapi"].startswith("3.")
    assert document["info"]["title"] == "chanx Django sandbox"
    assert channel["address"] == "/ws/room/{room_name}/"
    assert set(channel["parameters"]) == {"room_name"}


def test_yaml_says_what_json_says() -> None:
    """One document in two spellings."""
    address = reverse("asyncapi_schema")
    as_json = Client().get(address, {"format": "json"})
    as_yaml = Client().get(address, {"format": "yaml"})

    assert yaml.safe_load(as_yaml.content) == json.loads(as_json.content)


def test_the_documents_have_a_page() -> None:
    """A page, not a download."""
    answer = Client().get(reverse("asyncapi_docs"))

    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["Content-Type"].startswith("text/html")


def test_the_page_needs_nothing_but_this_server() -> None:
    """No inline script or style, nothing from elsewhere, and a policy that says so."""
    answer = Client().get("/")

    html = answer.content.decode()
    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    scripts = re.findall(r"<script.*?</script>", html, re.DOTALL)
    assert all(script.endswith("></script>") for script in scripts)
    assert not re.findall(r"\s(?:style|on\w+)=", html)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", html)


@pytest.mark.parametrize("file", ["chat.js", "chat.css", "icon.svg"])
def test_what_the_page_loads_is_there(file: str) -> None:
    """Everything that the page refers to."""
    assert f'"/static/chat/{file}"' in Client().get("/").content.decode()
    assert finders.find(f"chat/{file}")
