"""Talking to a server as its document says, with every frame held against the document as it comes."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, cast

from chanx.testing.contract.answers import CANCELLED, Answer, StreamAnswer
from chanx.testing.contract.channel import ERROR, Channel, Question
from chanx.testing.contract.connection import ContractConnection
from chanx.testing.contract.document import MessageSchema
from chanx.testing.contract.verdict import ContractError, Transcript, error_codes
from chanx.type_defs import ASGIEvent, JSONObject

__all__ = ["Conversation", "new_ref"]

_SERVER_PREFIX = "s."
_refs = count(1)


def new_ref() -> str:
    """Return a reference that no message has carried."""
    return f"contract-{next(_refs)}"


class Conversation:
    """One connection; `replies` answer the requests of the server, by the name of each."""

    def __init__(
        self,
        connection: ContractConnection,
        channel: Channel,
        replies: Mapping[str, JSONObject],
        timeout: float,
    ) -> None:
        self.channel = channel
        self.transcript = Transcript()
        self.is_closed = False
        self.refusals: list[set[str]] = []
        """The codes of each error that came without a reference."""
        self._connection = connection
        self._replies = replies
        self._timeout = timeout
        self._answers: dict[str, list[Answer]] = {}
        self._loose: list[Answer] = []
        self._asked: set[str] = set()

    # What the client sends

    async def send(self, frame: JSONObject) -> None:
        """Send a frame."""
        await self._connection.send_to(text_data=self.transcript.sent(frame))

    async def ask(self, answer: Answer, message: JSONObject, ref: str | None = None) -> str:
        """Send a message whose answer is looked at, and return its reference."""
        ref = ref or new_ref()
        if self.channel.correlates:
            self._answers.setdefault(ref, []).append(answer)
            message = {**message, "ref": ref}
        else:
            self._loose.append(answer)
        await self.send(message)
        return ref

    # Any: what a control carries, valid or not.
    async def control(self, message: MessageSchema, **keys: Any) -> None:
        """Send a control message."""
        await self.send({message.key: message.name, **keys})

    async def cancel(self, answer: Answer, ref: str) -> None:
        """Cancel an answer, which may end with the error that says so from now on."""
        assert self.channel.cancel is not None
        answer.accepted.add(CANCELLED)
        await self.control(self.channel.cancel, ref=ref)

    async def give_credit(self, answer: StreamAnswer, ref: str, number: int) -> None:
        """Let a stream send so many items more."""
        assert self.channel.more is not None
        assert answer.credit is not None
        answer.credit += number
        await self.control(self.channel.more, payload=number, ref=ref)

    def withdraw(self, ref: str) -> bool:
        """Expect no answer to the last message under a reference; False where one has come."""
        return not self._answers[ref].pop().frames

    # What comes

    async def until(self, found: Callable[[], bool], expected: str = "") -> bool:
        """Take what comes until `found`; False once nothing more comes.

        `expected` is the rule that is broken where neither happens in time. Raises ContractError.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        while not found():
            try:
                event = await self._connection.next_event(deadline - loop.time())
                if loop.time() > deadline:
                    raise TimeoutError  # a stream that is not ended sends for ever
            except TimeoutError:
                raise self._too_late(expected) from None
            if event is None:
                return False
            await self._take(event)
        return True

    def _too_late(self, expected: str) -> ContractError:
        answers = [*self._loose, *(item for items in self._answers.values() for item in items)]
        pending = [answer.pending for answer in answers if not answer.is_over]
        return self.transcript.broken(
            expected
            or f"The server was not idle within {self._timeout:g} s: "
            + ("; ".join(pending) or "something still runs or waits"),
            "A handler that needs longer needs timeout=..., too.",
        )

    async def settle(self) -> None:
        """Take what comes until nothing more can come. Raises ContractError."""
        await self.until(lambda: False)

    async def look(self) -> None:
        """Take what comes at once. Raises ContractError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        while (event := await self._connection.next_at_once()) is not None:
            await self._take(event)
            if loop.time() > deadline:
                raise self._too_late("")

    async def _take(self, event: ASGIEvent) -> None:
        frame = self.transcript.came(event)
        if event["type"] == "websocket.close":
            self.is_closed = True
        if "text" not in event:
            return
        problems = self.channel.problems(frame)
        if problems:
            raise self.transcript.broken(
                f"A frame is not what the document says: {'; '.join(problems)}"
            )
        await self._route(cast(JSONObject, frame))

    async def _route(self, frame: JSONObject) -> None:
        ref = frame.get("ref")
        is_asked = self.channel.correlates or self.channel.question_of(frame) is not None
        if is_asked and isinstance(ref, str) and ref.startswith(_SERVER_PREFIX):
            await self._reply(frame, ref)
        elif not self.channel.correlates:
            for answer in self._loose:
                answer.take(frame)
        elif isinstance(ref, str):
            self._answer_under(ref).take(frame)
        elif not self.channel.may_be_unasked(frame):
            raise self.transcript.broken(
                "A request of the server has no `ref` that begins with `s.`, so it cannot be answered",
                "Ask with request(), or declare the message in `emits`.",
            )
        elif ERROR in frame.values():
            self.refusals.append(error_codes(frame.get("payload")))

    def _answer_under(self, ref: str) -> Answer:
        answers = self._answers.get(ref)
        if not answers:
            raise self.transcript.broken(
                f"A frame carries the `ref` {ref!r}, and no message with it waits for an answer",
                "Control frames for an unknown or finished `ref` are ignored.",
            )
        return next((answer for answer in answers if not answer.is_over), answers[-1])

    # Requests of the server

    async def _reply(self, frame: JSONObject, ref: str) -> None:
        question = self.channel.question_of(frame)
        if question is not None and ref not in self._asked:
            self._asked.add(ref)
            await self.send(self._reply_to(question, ref))
        elif question is None and ref in self._asked:
            raise self.transcript.broken(
                f"A valid answer to the server's request {ref!r} was answered by a frame",
                "The document declares another answer than the one that request() waits for.",
            )
        else:
            raise self.transcript.broken(
                "A frame with a `ref` of the server is not a request that the document declares, or comes twice",
                "Declare it on the class: requests = {Question: Answer}.",
            )

    def _reply_to(self, question: Question, ref: str) -> JSONObject:
        return {**self._replies[question.message.name], "ref": ref}
