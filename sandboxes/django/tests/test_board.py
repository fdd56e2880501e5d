"""The board, over sockets."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from board.consumers import BoardConsumer
from board.messages import CastVote, CastVotePayload
from board.models import Topic, Vote
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
