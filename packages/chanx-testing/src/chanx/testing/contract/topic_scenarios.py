"""What is said to a server to test one operation of a topic: the client subscribes first, and unsubscribes."""

from collections.abc import Awaitable, Callable

from chanx.testing.contract.answers import (
    NOT_SUBSCRIBED,
    UNKNOWN_TOPIC,
    Confirmation,
    StreamAnswer,
    TopicRefusal,
)
from chanx.testing.contract.channel import Request, TopicPart
from chanx.testing.contract.scenarios import SCENARIOS, Kind, Scenario
from chanx.type_defs import JSONObject

__all__ = ["play"]

_UNSUBSCRIBED = "unsubscribed"
"""The code of the error that ends the streams of a topic."""


async def play(scenario: Scenario, kind: Kind) -> None:
    """Run one test on a connection that has just been made. Raises ContractError."""
    topic = scenario.channel.topic
    if topic is None:
        await SCENARIOS[kind](scenario)
    elif kind in _OWN:
        await _OWN[kind](scenario, topic)
    else:
        await _subscribe(scenario, topic)
        await SCENARIOS[kind](scenario)
        if not scenario.talk.is_closed:
            await _unsubscribe(scenario, topic)


async def _unsubscribed(scenario: Scenario, topic: TopicPart) -> None:
    """Expect an error for the message before the client subscribes, and after it unsubscribes."""
    talk = scenario.talk
    if talk.is_subscribed:  # to a default topic, since it connected
        await _unsubscribe(scenario, topic)
    await _expect_not_subscribed(scenario)
    await _subscribe(scenario, topic)
    answer = scenario.answer()
    if isinstance(answer, StreamAnswer):
        await scenario.ask(answer)
        await talk.until(lambda: answer.is_over or answer.is_waiting or answer.items > 0)
        answer.accepted.add(_UNSUBSCRIBED)
    if talk.is_closed and scenario.may_close:
        return
    await _unsubscribe(scenario, topic)
    if isinstance(answer, StreamAnswer):
        answer.finish()
    await _expect_not_subscribed(scenario)


async def _twice(scenario: Scenario, topic: TopicPart) -> None:
    """Expect a confirmation for each request, also where it changes nothing."""
    for _ in range(2):
        await _confirm(scenario, topic.subscribe)
    for _ in range(2):
        await _confirm(scenario, topic.unsubscribe)


async def _unknown(scenario: Scenario, topic: TopicPart) -> None:
    """Expect an error for a name of no topic."""
    refusal = TopicRefusal(topic.subscribe, scenario.talk.transcript, UNKNOWN_TOPIC)
    await scenario.talk.ask(refusal, _request(topic.subscribe), topic=topic.unknown)
    await scenario.talk.settle()
    refusal.finish()


_OWN: dict[Kind, Callable[[Scenario, TopicPart], Awaitable[None]]] = {
    "unsubscribed": _unsubscribed,
    "twice": _twice,
    "unknown": _unknown,
}


async def _subscribe(scenario: Scenario, topic: TopicPart) -> None:
    if not scenario.talk.is_subscribed:
        await _confirm(scenario, topic.subscribe)


async def _unsubscribe(scenario: Scenario, topic: TopicPart) -> None:
    await _confirm(scenario, topic.unsubscribe)


async def _confirm(scenario: Scenario, request: Request) -> None:
    talk = scenario.talk
    before = len(talk.refusals)
    answer = Confirmation(request, talk.transcript)
    await talk.ask(answer, _request(request))
    await talk.settle()
    answer.finish()
    if len(talk.refusals) > before:
        raise talk.transcript.broken(
            f"An error without a `ref` came after {request.message.name!r} for {talk.topic!r}",
            "on_subscribe() raises an exception; the server's log has it.",
        )


async def _expect_not_subscribed(scenario: Scenario) -> None:
    talk = scenario.talk
    refusal = TopicRefusal(scenario.request, talk.transcript, NOT_SUBSCRIBED)
    await talk.ask(refusal, scenario.script.message)
    await talk.settle()
    refusal.finish()


def _request(request: Request) -> JSONObject:
    return {request.message.key: request.message.name}
