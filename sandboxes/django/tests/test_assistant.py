"""The assistant."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.test import override_settings

from assistant.consumers import AssistantConsumer
from assistant.messages import Ask, AskPayload
from assistant.models import Exchange
from assistant.source import OTHERWISE, PARAGRAPHS, answer_to, pieces
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from tests.people import Person, admitted, socket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("layer")]


@pytest.fixture
def ada() -> Person:
    return Person.new("ada")


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    async with no_leaks(get_channel_layer()):
        yield


def asking(question: str) -> Ask:
    return Ask(payload=AskPayload(question=question))


async def answers(ws: WebsocketCommunicator, *refs: str) -> dict[str, tuple[str, Any]]:
    """Return what is said under each reference, and the frame that ends it."""
    said, ends = dict.fromkeys(refs, ""), dict[str, Any]()
    while len(ends) < len(refs):
        frame = await ws.receive_json_from()
        if "seq" in frame:
            said[frame["ref"]] += frame["payload"]["text"]
        else:
            ends[frame["ref"]] = frame
    return {ref: (said[ref], ends[ref]) for ref in refs}


async def test_an_answer_comes_in_pieces(ada: Person) -> None:
    """In order, the end after them, and it is kept."""
    question = "How do votes on the board work?"
    async with ada.socket(AssistantConsumer, "/ws/assistant/") as ws:
        await admitted(ws)
        await ws.send_message(asking(question), ref="1")
        said, end = (await answers(ws, "1"))["1"]
        assert (said, end["action"]) == (answer_to(question), "complete")

    kept = await Exchange.objects.aget()
    assert (kept.question, kept.answer, kept.was_stopped) == (question, answer_to(question), False)


async def test_questions_are_answered_at_the_same_time(ada: Person) -> None:
    """Each under its reference."""
    async with ada.socket(AssistantConsumer, "/ws/assistant/") as ws:
        await admitted(ws)
        await ws.send_message(asking("rooms"), ref="1")
        await ws.send_message(asking("tokens"), ref="2")
        said = await answers(ws, "1", "2")
        assert (said["1"][0], said["2"][0]) == (answer_to("rooms"), answer_to("tokens"))


@override_settings(ASSISTANT_PAUSE=60)
async def test_an_answer_can_be_stopped(ada: Person) -> None:
    """At once, while the handler waits; what was said until then is stored before the end is sent."""
    async with ada.socket(AssistantConsumer, "/ws/assistant/") as ws:
        await admitted(ws)
        await ws.send_message(asking("rooms"), ref="1")
        await ws.receive_json_from()
        await ws.send_json_to({"action": "cancel", "ref": "1"})
        said, end = (await answers(ws, "1"))["1"]
        assert (said, end["payload"][0]["type"]) == ("", "cancelled")
        kept = await Exchange.objects.aget()
    assert kept.was_stopped
    assert kept.answer == next(pieces("rooms"))


@override_settings(ASSISTANT_PAUSE=60)
async def test_who_leaves_is_not_answered_any_more(ada: Person) -> None:
    """At once; what was said until then is kept."""
    async with ada.socket(AssistantConsumer, "/ws/assistant/") as ws:
        await admitted(ws)
        await ws.send_message(asking("rooms"), ref="1")
        await ws.receive_json_from()
    kept = await Exchange.objects.aget()
    assert kept.was_stopped
    assert kept.answer == next(pieces("rooms"))


async def test_nobody_is_turned_away() -> None:
    ws = socket(AssistantConsumer, "/ws/assistant/")
    await ws.connect()
    assert (await ws.receive_json_from())["payload"]["status_code"] == 401
    await ws.assert_closed(4401)
    await ws.wait()


@pytest.mark.parametrize("words", PARAGRAPHS)
def test_the_source_always_says_the_same(words: tuple[str, ...]) -> None:
    for word in words:
        assert answer_to(f"Tell me about {word}s!") == PARAGRAPHS[words]
    assert answer_to("?") == OTHERWISE
    assert "".join(pieces(words[0])) == PARAGRAPHS[words]
