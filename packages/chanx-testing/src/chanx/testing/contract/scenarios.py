"""What is said to a server to test one operation, and what is expected of it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chanx.testing.contract.answers import (
    Answer,
    LooseAnswer,
    PlainAnswer,
    Refusal,
    StreamAnswer,
)
from chanx.testing.contract.channel import Channel, Request
from chanx.testing.contract.conversation import Conversation, new_ref
from chanx.testing.contract.mutations import CANARY
from chanx.type_defs import JSONObject

__all__ = ["MOST_ITEMS", "SCENARIOS", "Kind", "Scenario", "Script", "kinds_of"]

Kind = Literal[
    "valid", "invalid", "cancel", "duplicate", "credit", "unsubscribed", "twice", "unknown"
]

MOST_ITEMS = 12
"""A stream is cancelled after so many items."""
_REF_IN_USE, _MISSING, _INVALID_WINDOW = "ref_in_use", "missing", "invalid_window"
_IN_USE = (
    "A message under a `ref` that is in use is answered by one error `ref_in_use` without a `ref`"
)
_WITHOUT_REF = "With the `ref`, it would end the answer to the first message."


@dataclass(frozen=True)
class Script:
    """What is generated for one conversation."""

    message: JSONObject
    wrong: str = ""
    """What is wrong with the message."""
    replies: Mapping[str, JSONObject] = field(default_factory=dict[str, JSONObject])
    """How the requests of the server are answered, by the name of each."""
    window: int = 1
    items: int = 0
    """How many items are taken before the stream is cancelled."""
    # Any: no number of items.
    credit: Any = None
    topic: str = ""
    """The name of the topic."""


@dataclass(frozen=True)
class Scenario:
    """One operation on one connection."""

    talk: Conversation
    request: Request
    script: Script
    denied: Collection[str]
    may_close: bool

    @property
    def channel(self) -> Channel:
        """What is tested."""
        return self.talk.channel

    @property
    def window(self) -> int | None:
        """How many items the client takes at a time; None where it cannot say."""
        is_known = is_answered_by_stream(self.channel, self.request) and (
            self.request.takes_window and self.channel.more is not None
        )
        return self.script.window if is_known else None

    def answer(self) -> Answer:
        """Expect a valid answer."""
        if is_answered_by_stream(self.channel, self.request):
            return self.stream()
        is_plain = self.request.mode in ("one", "none") and self.channel.correlates
        kind = PlainAnswer if is_plain else LooseAnswer
        return kind(self.request, self.talk.transcript, self.denied)

    def stream(self) -> StreamAnswer:
        """Expect a valid stream."""
        return StreamAnswer(self.request, self.talk.transcript, self.denied, self.window)

    def message(self, window: object = None) -> JSONObject:
        """Return the message, with the window that is given, else that of the script."""
        window = self.window if window is None else window
        message = self.script.message
        return message if window is None else {**message, "window": window}

    async def ask(self, answer: Answer) -> str:
        """Send the message."""
        return await self.talk.ask(answer, self.message())

    # Scenarios

    async def valid(self) -> None:
        """Expect the declared answer."""
        answer = self.answer()
        ref = await self.ask(answer)
        await self.follow(answer, ref)

    async def invalid(self) -> None:
        """Expect one error that repeats nothing, and an open connection."""
        refusal = Refusal(self.request, self.talk.transcript)
        await self.talk.ask(refusal, self.script.message)
        await self.talk.settle()
        if any(CANARY in text for text in self.talk.transcript.texts):
            raise self.talk.transcript.broken("What the client sent came back to it")
        if self.talk.is_closed:
            raise self.talk.transcript.broken("The connection was closed on an invalid message")
        refusal.finish()

    async def cancel(self) -> None:
        """Cancel after a few items, and expect one end; then send controls that are about nothing."""
        answer = self.answer()
        ref = await self.ask(answer)
        if isinstance(answer, StreamAnswer):
            await self.talk.until(
                lambda: answer.is_over or answer.is_waiting or answer.items >= self.script.items
            )
        elif self.script.items:
            await self.talk.look()
        await self.talk.cancel(answer, ref)
        await self.end(answer)
        await self.ignored(ref)
        await self.ignored(new_ref())
        for control in (self.channel.cancel, self.channel.more):
            if control is not None:
                keys = {"payload": 1} if control is self.channel.more else {}
                await self.refused(_MISSING, self.talk.control(control, **keys))

    async def duplicate(self) -> None:
        """Send the message twice under one reference, while the first is being answered."""
        first = self.answer()
        ref = await self.ask(first)
        if isinstance(first, StreamAnswer):
            await self.talk.until(lambda: first.is_over or is_under_way(first))
            if first.is_waiting:
                await self.talk.look()
            if first.is_over:
                return  # the reference is free again
        second = self.answer()
        before = len(self.talk.refusals)
        await self.talk.ask(second, self.message(), ref)
        await self.talk.until(
            lambda: len(self.talk.refusals) > before or bool(second.frames), _IN_USE
        )
        if not first.is_over or self.talk.refusals[before:]:
            if self.talk.refusals[before:] != [{_REF_IN_USE}] or not self.talk.withdraw(ref):
                raise self.talk.transcript.broken(_IN_USE, _WITHOUT_REF)
            await self.follow(first, ref)
        else:
            # It had ended before the second was read.
            await self.follow(second, ref)

    async def credit(self) -> None:
        """Give credit that is no number of items: with the message, and later."""
        transcript = self.talk.transcript
        refusal = Refusal(self.request, transcript, _INVALID_WINDOW)
        await self.talk.ask(refusal, {**self.script.message, "window": self.script.credit})
        await self.talk.settle()
        refusal.finish()
        answer = self.stream()
        ref = await self.ask(answer)
        await self.talk.until(lambda: answer.is_over or is_under_way(answer))
        if self.channel.more is not None:
            sending = self.talk.control(self.channel.more, payload=self.script.credit, ref=ref)
            await self.refused(_INVALID_WINDOW, sending)
        await self.follow(answer, ref)

    # Parts of them

    async def follow(self, answer: Answer, ref: str) -> None:
        """Take an answer to its end; a stream gets credit as it needs it, and is cancelled after many items."""
        if isinstance(answer, StreamAnswer):
            while await self.talk.until(
                lambda: answer.is_over or answer.is_waiting or answer.items >= MOST_ITEMS
            ):
                if answer.is_over or answer.items >= MOST_ITEMS:
                    break
                # What comes without credit comes now.
                await self.talk.look()
                if answer.is_waiting:
                    await self.talk.give_credit(answer, ref, self.script.window)
            if not answer.is_over and answer.items >= MOST_ITEMS:
                if self.channel.cancel is None:
                    return
                await self.talk.cancel(answer, ref)
        await self.end(answer)

    async def end(self, answer: Answer) -> None:
        """Take what is left, and look at the whole answer."""
        await self.talk.settle()
        if self.talk.is_closed and not self.may_close:
            raise self.talk.transcript.broken("The connection was closed on a valid message")
        if not self.may_close or (answer.frames and not self.talk.is_closed):
            answer.finish()

    async def ignored(self, ref: str) -> None:
        """Send control messages for a reference that waits for nothing; a frame under it is refused as it comes."""
        before = len(self.talk.refusals)
        if self.channel.cancel is not None:
            await self.talk.control(self.channel.cancel, ref=ref)
        if self.channel.more is not None:
            await self.talk.control(self.channel.more, payload=1, ref=ref)
        await self.talk.settle()
        if len(self.talk.refusals) > before:
            raise self.talk.transcript.broken(
                "A control message for a `ref` that is unknown or finished is not ignored"
            )

    async def refused(self, code: str, sending: Awaitable[None]) -> None:
        """Send a control message that is wrong, and expect one error without a reference."""
        before = len(self.talk.refusals)
        await sending
        rule = f"A wrong control message is answered by one error `{code}` without a `ref`"
        await self.talk.until(lambda: len(self.talk.refusals) > before, rule)
        await self.talk.look()
        if self.talk.refusals[before:] != [{code}]:
            raise self.talk.transcript.broken(rule, _WITHOUT_REF)


SCENARIOS: dict[Kind, Callable[[Scenario], Awaitable[None]]] = {
    "valid": Scenario.valid,
    "invalid": Scenario.invalid,
    "cancel": Scenario.cancel,
    "duplicate": Scenario.duplicate,
    "credit": Scenario.credit,
}


def is_answered_by_stream(channel: Channel, request: Request) -> bool:
    """Tell whether an answer has numbered items and an end, which need a reference."""
    return request.is_stream and channel.correlates


def is_under_way(answer: StreamAnswer) -> bool:
    """Tell whether a stream has begun, and waits for the client where it can."""
    return answer.items > 0 if answer.credit is None else answer.is_waiting


def kinds_of(channel: Channel, request: Request) -> list[Kind]:
    """Return what is tested of an operation."""
    if request in channel.topic_requests:
        return ["twice", "unknown"]
    kinds: list[Kind] = ["valid", "invalid"]
    if channel.topic is not None:
        kinds.append("unsubscribed")
    if not channel.correlates:
        return kinds
    if request.is_cancellable and channel.cancel is not None:
        kinds.append("cancel")
        if request.mode in ("stream", "one", "none"):
            kinds.append("duplicate")
    if request.takes_window:
        kinds.append("credit")
    return kinds
