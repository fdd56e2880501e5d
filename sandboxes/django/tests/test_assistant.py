"""The assistant."""

from collections.abc import AsyncIterator

import pytest
from channels.layers import get_channel_layer
from django.test import override_settings

from assistant.consumers import AssistantConsumer
from assistant.messages import Ask, AskPayload, Stop
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


async def answer(ws: WebsocketCommunicator) -> tuple[str, bool]:
    """Return what is said until the answer is done."""
    said = ""
    while (frame := await ws.receive_json_from())["action"] == "answer_piece":
        said += frame["payload"]["text"]
    assert frame["action"] == "answer_done"
    return said, frame["payload"]["was_stopped"]


async def test_an_answer_comes_in_pieces(ada: Person) -> None:
    """In order, the end after them, and it is kept."""
    question = "How do votes on the board work?"
    async with ada.socket(AssistantConsumer, "/ws/assistant/") as ws:
        await admitted(ws)
        await ws.send_message(asking(question))
        assert await answer(ws) == (answer_to(question), False)

    kept = await Exchange.objects.aget()
    assert (kept.question, kept.answer, kept.was_stopped) == (question, answer_to(question), False)


async def test_questions_wait_for_their_turn(ada: Person) -> None:
    async with ada.socket(AssistantConsumer, "/ws/assistant/") as ws:
        await admitted(ws)
        await ws.send_message(asking("rooms"))
        await ws.send_message(asking("tokens"))
        assert (await answer(ws))[0] == answer_to("rooms")
        assert (await answer(ws))[0] == answer_to("tokens")


@override_settings(ASSISTANT_PAUSE=0.01)
async def test_an_answer_can_be_stopped(ada: Person) -> None:
    """At once, though it is being given."""
    async with ada.socket(AssistantConsumer, "/ws/assistant/") as ws:
        await admitted(ws)
        await ws.send_message(asking("rooms"))
        await ws.receive_json_from()
        await ws.send_message(Stop())
        said, was_stopped = await answer(ws)
    kept = await Exchange.objects.aget()
    assert was_stopped
    assert kept.was_stopped
    assert len(said) < len(answer_to("rooms"))
    assert answer_to("rooms").startswith(kept.answer)


@override_settings(ASSISTANT_PAUSE=60)
async def test_who_leaves_is_not_answered_any_more(ada: Person) -> None:
    """What was said until then is kept."""

    class Impatient(AssistantConsumer):
        disconnect_grace = 0.01

    from channels.auth import AuthMiddlewareStack

    ws = WebsocketCommunicator(
        AuthMiddlewareStack(Impatient.as_asgi()),  # type: ignore[arg-type] # any ASGI application
        "/ws/assistant/",
        [ada.cookie],
        consumer=Impatient,
    )
    async with ws:
        await admitted(ws)
        await ws.send_message(asking("rooms"))
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
