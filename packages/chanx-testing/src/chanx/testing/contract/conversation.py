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
    """One connection; `replies` answer the requests of the server, by the name of each.

    `topic` is the name of the topic that is tested, if any.
    """

    def __init__(
        self,
        connection: ContractConnection,
        channel: Channel,
        replies: Mapping[str, JSONObject],
        timeout: float,
        topic: str | None = None,
    ) -> None:
        self.channel = channel
        self.topic = topic
        self.is_subscribed: bool = False
        """True while the server has confirmed that the client is subscribed."""
        self.transcript: Transcript = Transcript()
        self.is_closed: bool = False
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

    async def ask(
        self,
        answer: Answer,
        message: JSONObject,
        ref: str | None = None,
        topic: str | None = None,
    ) -> str:
        """Send a message whose answer is looked at, and return its reference; `topic` is another one than usual."""
        ref = ref or new_ref()
        answer.topic = topic or self.topic
        if answer.topic is not None:
            message = {**message, "topic": answer.topic}
        if self.channel.correlates or answer.request in self.channel.topic_requests:
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
        self._check_topic(frame)
        channel = self._channel_of(frame)
        problems = channel.problems(self._as_described(frame))
        if problems:
            raise self.transcript.broken(
                f"A frame is not what the document says: {'; '.join(problems)}"
            )
        if channel is self.channel:
            self._note_subscription(frame)
        await self._route(cast(JSONObject, frame), channel)

    async def _route(self, frame: JSONObject, channel: Channel) -> None:
        ref = frame.get("ref")
        is_asked = channel.correlates or channel.question_of(frame) is not None
        if is_asked and isinstance(ref, str) and ref.startswith(_SERVER_PREFIX):
            await self._reply(frame, ref, channel)
        elif isinstance(ref, str) and ref in self._answers:
            self._answer_under(ref).take(frame)
        elif not channel.correlates:
            for answer in self._loose if channel is self.channel else ():
                answer.take(frame)
        elif isinstance(ref, str):
            self._answer_under(ref).take(frame)
        elif not channel.may_be_unasked(frame):
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

    # Topics

    # Any: frames are whatever JSON can hold.
    def _topic_of(self, frame: Any) -> object:
        return cast(JSONObject, frame).get("topic") if isinstance(frame, dict) else None

    def _asked_by(self, frame: Any) -> Answer | None:
        """Return the answer to which a frame belongs by its `ref`."""
        ref = cast(JSONObject, frame).get("ref") if isinstance(frame, dict) else None
        known = self._answers.get(ref) if isinstance(ref, str) else None
        return self._answer_under(cast(str, ref)) if known else None

    def _channel_of(self, frame: Any) -> Channel:
        """Return what a frame is held against: what names no topic of the test, comes from the rest of the server."""
        topic = self.channel.topic
        if topic is None or self._topic_of(frame) == self.topic:
            return self.channel
        if self._asked_by(frame) is not None or self._is_undescribed_error(frame):
            return self.channel
        return topic.host

    def _is_undescribed_error(self, frame: Any) -> bool:
        """Tell whether a frame is an error of a connection whose consumer has no channel: it has only topics."""
        topic = self.channel.topic
        if topic is None or topic.host.sent or not isinstance(frame, dict):
            return False
        content = cast(JSONObject, frame)
        return "topic" not in content and ERROR in content.values()

    def _as_described(self, frame: Any) -> Any:
        """Leave out a name that the test has made up, which fits no pattern; add the one that errors may lack."""
        if self._is_undescribed_error(frame):
            return {**frame, "topic": self.topic}
        answer = self._asked_by(frame)
        if answer is None or answer.topic == self.topic:
            return frame
        return {key: value for key, value in frame.items() if key != "topic"}

    def _check_topic(self, frame: Any) -> None:
        """Expect the name of the topic in each answer. Raises ContractError."""
        answer = self._asked_by(frame)
        named = self._topic_of(frame)
        if answer is None or answer.topic is None or named == answer.topic:
            return
        seen = "no `topic`" if named is None else f"`topic` {named!r}"
        raise self.transcript.broken(
            f"The answer to {answer.request.message.name!r} has {seen} instead of {answer.topic!r}",
            "Every frame of a topic names it; clients find by it which topic a frame is about.",
        )

    def _note_subscription(self, frame: JSONObject) -> None:
        """Follow what the server confirms. Raises ContractError for a message to a client that is not subscribed."""
        topic = self.channel.topic
        if topic is None:
            return
        if topic.subscribe.is_declared(frame):
            self.is_subscribed = True
        elif topic.unsubscribe.is_declared(frame):
            self.is_subscribed = False
        elif "ref" not in frame and self.channel.correlates and ERROR not in frame.values():
            self._expect_subscribed()

    def _expect_subscribed(self) -> None:
        if not self.is_subscribed:
            raise self.transcript.broken(
                f"A message of {self.topic!r} came while the client was not subscribed to it",
                "Nothing comes before `subscribed`, and nothing after `unsubscribed`.",
            )

    # Requests of the server

    async def _reply(self, frame: JSONObject, ref: str, channel: Channel) -> None:
        question = channel.question_of(frame)
        if question is not None and ref not in self._asked:
            self._asked.add(ref)
            await self.send(self._reply_to(question, ref, self._topic_of(frame)))
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

    def _reply_to(self, question: Question, ref: str, topic: object) -> JSONObject:
        address = {} if self.topic is None or topic is None else {"topic": topic}
        return {**self._replies[question.message.name], **address, "ref": ref}
