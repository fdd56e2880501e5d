"""The board, over sockets."""

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from board.consumers import BoardConsumer
from board.messages import CastVote, CastVotePayload
from board.models import Reply, Topic, Vote
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from tests.people import Person, admitted, socket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("layer")]


@pytest.fixture
def ada() -> Person:
    return Person.new("ada")


@pytest.fixture
def topic(ada: Person) -> Topic:
    return Topic.objects.create(title="tabs or spaces", author=ada.user)


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    async with no_leaks(get_channel_layer()):
        yield


def vote(topic_id: int, value: Literal[-1, 0, 1]) -> CastVote:
    return CastVote(payload=CastVotePayload(topic_id=topic_id, value=value))


async def test_votes_over_sockets_and_http_reach_everybody(ada: Person, topic: Topic) -> None:
    """Also who is not logged in."""
    bob = await sync_to_async(Person.new)("bob")
    async with (
        socket(BoardConsumer, "/ws/board/") as anybody,
        ada.socket(BoardConsumer, "/ws/board/") as hers,
    ):
        await admitted(anybody)
        await admitted(hers)
        await hers.send_message(vote(topic.pk, 1))
        await sync_to_async(bob.post)(f"/api/topics/{topic.pk}/vote/", value=1)
        for ws in (anybody, hers):
            scores = [(await ws.receive_json_from())["payload"] for _ in range(2)]
            assert scores == [
                {"topic_id": topic.pk, "score": 1},
                {"topic_id": topic.pk, "score": 2},
            ]


async def test_only_who_is_logged_in_votes(topic: Topic) -> None:
    async with socket(BoardConsumer, "/ws/board/") as ws:
        await admitted(ws)
        await ws.send_message(vote(topic.pk, 1))
        (problem,) = (await ws.receive_json_from())["payload"]
    assert problem["type"] == "not_authenticated"
    assert await Vote.objects.acount() == 0


async def test_everybody_has_one_vote(ada: Person, topic: Topic) -> None:
    """Which may be changed and taken back."""
    async with ada.socket(BoardConsumer, "/ws/board/") as ws:
        await admitted(ws)
        scores: list[int] = []
        for value in (1, 1, -1, 0):
            await ws.send_message(vote(topic.pk, value))
            scores.append((await ws.receive_json_from())["payload"]["score"])
        await ws.send_message(vote(999, 1))
        assert (await ws.receive_json_from())["payload"][0]["type"] == "no_topic"
    assert scores == [1, 1, -1, 0]


async def test_topics_and_replies_are_announced(ada: Person) -> None:
    async with socket(BoardConsumer, "/ws/board/") as ws:
        await admitted(ws)
        made = (await sync_to_async(ada.post)("/api/topics/", title="new")).json()
        assert (await ws.receive_json_from())["payload"] == {
            "id": made["id"],
            "title": "new",
            "author": "ada",
        }
        await sync_to_async(ada.post)(f"/api/topics/{made['id']}/replies/", text="indeed")
        reply = (await ws.receive_json_from())["payload"]
        assert (reply["text"], reply["replies_count"]) == ("indeed", 1)


async def until(ws: WebsocketCommunicator, action: str) -> dict[str, Any]:
    """Return the next frame with that action."""
    while (frame := await ws.receive_json_from())["action"] != action:
        pass
    return dict(frame)


async def asks(ws: WebsocketCommunicator, action: str, topic: str, **payload: str) -> Any:
    """Send a message to a topic and return the frame under its `ref`."""
    frame = {"action": action, "payload": payload or None, "topic": topic, "ref": "asked"}
    await ws.send_to(text_data=json.dumps(frame))
    while (answer := await ws.receive_json_from()).get("ref") != "asked":
        pass
    return answer


async def test_replies_over_the_discussion_reach_its_subscribers(ada: Person, topic: Topic) -> None:
    """Those of the REST API and of the database, too; everybody may look on, and replies take a login."""
    discussion = f"discussion:{topic.pk}"
    async with (
        socket(BoardConsumer, "/ws/board/") as anybody,
        ada.socket(BoardConsumer, "/ws/board/") as hers,
    ):
        for ws in (anybody, hers):
            await admitted(ws)
            assert (await asks(ws, "subscribe", discussion))["action"] == "subscribed"
        denied = await asks(anybody, "reply", discussion, text="me, too")
        answer = await asks(hers, "reply", discussion, text="tabs")
        await sync_to_async(ada.post)(f"/api/topics/{topic.pk}/replies/", text="spaces")
        await Reply.objects.acreate(topic=topic, author=ada.user, text="both")

        heard: list[str] = []
        while len(heard) < 3:
            frame = await until(anybody, "reply_posted")
            if frame.get("topic") == discussion:  # the whole board is told, too
                heard.append(frame["payload"]["text"])

    assert denied["payload"][0]["type"] == "not_authenticated"
    assert (answer["payload"]["text"], answer["payload"]["author"]) == ("tabs", "ada")
    assert heard == ["tabs", "spaces", "both"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("discussion:999", "unauthorized"), ("discussion:x", "invalid_topic")],
)
async def test_discussions_that_do_not_exist(name: str, reason: str) -> None:
    """The database decides."""
    async with socket(BoardConsumer, "/ws/board/") as ws:
        await admitted(ws)
        assert (await asks(ws, "subscribe", name))["payload"]["reason"] == reason
