"""The REST API, and pages without a browser."""

import json
import re
from http import HTTPStatus
from pathlib import Path

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.test import Client, override_settings
from django.urls import reverse

from board.models import Topic
from chat.models import Membership, Role, Room
from config.layers import channel_layer
from tests.people import PASSWORD, Person, room_of
from tests.support import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> Person:
    return Person.new("ada")


@pytest.fixture
def bob() -> Person:
    return Person.new("bob")


def test_a_token_for_a_password() -> None:
    """And a new one for that."""
    Person.new("ada", PASSWORD)
    client = Client()
    wrong = client.post("/api/token/", {"username": "ada", "password": "wrong"})
    tokens = client.post("/api/token/", {"username": "ada", "password": PASSWORD}).json()
    fresh = client.post("/api/token/refresh/", {"refresh": tokens["refresh"]}).json()

    assert wrong.status_code == HTTPStatus.UNAUTHORIZED
    assert client.get("/api/rooms/").status_code == HTTPStatus.UNAUTHORIZED
    for token in (tokens["access"], fresh["access"]):
        answer = client.get("/api/rooms/", headers={"authorization": f"Bearer {token}"})
        assert answer.json() == []


def test_a_room_has_its_maker_as_owner(ada: Person, bob: Person) -> None:
    made = ada.post("/api/rooms/", name="lobby").json()

    assert Membership.objects.get(room=made["id"]).role == Role.OWNER
    assert [room["name"] for room in ada.client.get("/api/rooms/").json()] == ["lobby"]
    assert bob.client.get("/api/rooms/").json() == []
    assert bob.client.get(f"/api/rooms/{made['id']}/").status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("role", "renames", "invites", "ends"),
    [
        (Role.OWNER, True, True, True),
        (Role.ADMIN, True, True, False),
        (Role.MEMBER, False, False, False),
    ],
)
def test_roles(
    ada: Person, bob: Person, role: Role, renames: bool, invites: bool, ends: bool
) -> None:
    room = room_of(bob, ada)
    Membership.objects.filter(user=ada.user).update(role=role)
    Person.new("eve")
    where = f"/api/rooms/{room.pk}/"
    renamed = ada.client.patch(where, {"name": "x"}, content_type="application/json")
    invited = ada.post(f"{where}members/", username="eve")
    ended = ada.client.delete(where)

    assert (renamed.status_code == HTTPStatus.OK) is renames
    assert (invited.status_code == HTTPStatus.CREATED) is invites
    assert (ended.status_code == HTTPStatus.NO_CONTENT) is ends


def test_members_leave_and_owners_stay(ada: Person, bob: Person) -> None:
    room = room_of(ada, bob)
    where = f"/api/rooms/{room.pk}/members"

    assert bob.client.delete(f"{where}/ada/").status_code == HTTPStatus.FORBIDDEN
    assert ada.client.delete(f"{where}/ada/").status_code == HTTPStatus.FORBIDDEN
    assert ada.client.delete(f"{where}/eve/").status_code == HTTPStatus.NOT_FOUND
    assert ada.post(f"{where}/", username="ada", role="member").status_code == HTTPStatus.FORBIDDEN
    assert bob.client.delete(f"{where}/bob/").status_code == HTTPStatus.NO_CONTENT


def test_direct_messages_are_between_two(ada: Person, bob: Person) -> None:
    """One room, whoever begins, and nobody else comes in."""
    first = ada.post("/api/direct/", username="bob").json()
    again = bob.post("/api/direct/", username="ada").json()

    assert first["id"] == again["id"]
    assert first["is_direct"] is True
    assert Room.objects.get().memberships.count() == 2
    Person.new("eve")
    for path in ("members/", ""):
        answer = ada.post(f"/api/rooms/{first['id']}/{path}", username="eve")
        assert answer.status_code in (HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED)
    assert ada.post("/api/direct/", username="ada").status_code == HTTPStatus.BAD_REQUEST
    assert ada.post("/api/direct/", username="zoe").status_code == HTTPStatus.BAD_REQUEST


def test_topics_are_sorted_by_their_votes(ada: Person, bob: Person) -> None:
    ids = [ada.post("/api/topics/", title=title).json()["id"] for title in ("a", "b", "c")]
    for person, topic, value in [(ada, 0, 1), (bob, 0, 1), (ada, 1, 1), (bob, 2, -1), (ada, 1, 1)]:
        person.post(f"/api/topics/{ids[topic]}/vote/", value=value)
    ada.post(f"/api/topics/{ids[1]}/replies/", text="so it is")

    found = Client().get("/api/topics/").json()

    assert [(one["title"], one["score"], one["replies_count"]) for one in found] == [
        ("a", 2, 0),
        ("b", 1, 1),
        ("c", -1, 0),
    ]
    assert bob.post(f"/api/topics/{ids[2]}/vote/", value=0).json()["score"] == 0
    assert bob.post(f"/api/topics/{ids[2]}/vote/", value=2).status_code == HTTPStatus.BAD_REQUEST
    assert Client().post(f"/api/topics/{ids[2]}/vote/").status_code == HTTPStatus.UNAUTHORIZED


def test_signing_up_logs_in() -> None:
    client = Client()
    form = {"username": "ada", "password1": PASSWORD, "password2": PASSWORD}

    assert (
        client.post("/accounts/sign-up/", {**form, "password2": "x"}).status_code == HTTPStatus.OK
    )
    assert client.post("/accounts/sign-up/", form).headers["Location"] == "/"
    assert b"ada" in client.get("/").content


@pytest.mark.parametrize("path", ["/", "/rooms/1/", "/assistant/"])
def test_pages_of_people_ask_for_a_login(path: str) -> None:
    assert Client().get(path).headers["Location"] == f"/accounts/login/?next={path}"


def test_a_room_is_not_shown_to_others(ada: Person, bob: Person) -> None:
    room = room_of(ada)
    assert ada.client.get(f"/rooms/{room.pk}/").status_code == HTTPStatus.OK
    assert bob.client.get(f"/rooms/{room.pk}/").status_code == HTTPStatus.NOT_FOUND


def test_the_pages_need_nothing_but_this_server(ada: Person) -> None:
    """No inline script or style, nothing from elsewhere, and a policy that says so."""
    room = room_of(ada)
    topic = Topic.objects.create(title="x", author=ada.user)
    for path in ("/", f"/rooms/{room.pk}/", "/board/", f"/board/{topic.pk}/", "/assistant/"):
        answer = ada.client.get(path)
        html = answer.content.decode()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        scripts = re.findall(r"<script.*?</script>", html, re.DOTALL)
        assert all(script.endswith("></script>") for script in scripts)
        assert not re.findall(r"\s(?:style|on\w+)=", html)
        assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", html)
        for file in re.findall(r"\"/static/([^\"]+)\"", html):
            assert finders.find(file), file


def test_the_asyncapi_document_describes_exactly_the_consumers() -> None:
    answer = Client().get(reverse("asyncapi_schema"), {"format": "json"})
    as_yaml = Client().get(reverse("asyncapi_schema"), {"format": "yaml"})

    document = json.loads(answer.content)
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {"/ws/rooms/{pk}/", "/ws/board/", "/ws/assistant/"}
    assert document["info"]["title"] == "chanx Django sandbox"
    assert yaml.safe_load(as_yaml.content) == document
    assert Client().get(reverse("asyncapi_docs")).status_code == HTTPStatus.OK


@pytest.mark.parametrize("file", ["chat/room.js", "board/board.js", "assistant/assistant.js"])
def test_the_pages_import_the_client(file: str) -> None:
    """Under names that the client has."""
    client = Client().get(reverse("asyncapi_client"))
    script = Path(str(finders.find(file))).read_text("utf-8")

    ((name, address),) = re.findall(
        r'^import { (\w+)(?: as channel)? } from "(/asyncapi/client.js)";$', script, re.MULTILINE
    )
    assert (address, client.status_code) == (reverse("asyncapi_client"), HTTPStatus.OK)
    assert f"export const {name} = " in client.content.decode()


def test_the_rest_api_has_documents_too() -> None:
    schema = Client().get("/api/schema/", headers={"accept": "application/json"})

    assert "/api/rooms/{id}/messages/" in schema.content.decode()
    assert Client().get("/api/docs/").status_code == HTTPStatus.OK


def test_the_admin_shows_everything(ada: Person) -> None:
    ada.user.is_staff = ada.user.is_superuser = True
    ada.user.save()
    room_of(ada)
    Topic.objects.create(title="x", author=ada.user)
    for model in ("chat/room", "chat/message", "board/topic", "assistant/exchange"):
        assert ada.client.get(f"/admin/{model}/").status_code == HTTPStatus.OK
    assert ada.client.get(f"/admin/chat/room/{Room.objects.get().pk}/change/").status_code == 200


def test_what_is_stored_is_stored_though_nobody_can_be_told(
    ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """A channel layer that is down is logged; the request has done what it was for."""
    room = room_of(ada)
    nobody_answers = channel_layer(f"redis://127.0.0.1:{free_port()}/0")
    with override_settings(CHANNEL_LAYERS={"default": nobody_answers}):
        said = ada.post(f"/api/rooms/{room.pk}/messages/", text="hello")
        asked = ada.post("/api/topics/", title="Tabs", text="or spaces")

    assert (said.status_code, asked.status_code) == (HTTPStatus.CREATED, HTTPStatus.CREATED)
    assert [message.text for message in room.messages.all()] == ["hello"]
    assert len([record for record in caplog.records if "on_commit" in record.message]) == 2
