"""What hypothesis makes for one channel: conversations, from what the document says of their messages."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from chanx.constants import MAX_WINDOW
from chanx.core.codec import Codec, InvalidFrameError
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage, message_actions
from chanx.testing.contract.channel import Channel, Question, Request
from chanx.testing.contract.document import MessageSchema
from chanx.testing.contract.mutations import Mutation, mutations
from chanx.testing.contract.scenarios import Kind, Script
from chanx.testing.contract.strategies import Values
from chanx.testing.contract.topic_names import TopicName, names_of, spec_of
from chanx.type_defs import JSONObject

__all__ = ["Consumer", "Making", "Own"]

Consumer = type[ChanxWebsocketConsumerMixin[Any]]
Own = Mapping[type[BaseMessage] | str, st.SearchStrategy[Any]]

_WINDOWS = st.integers(1, 3)
_ITEMS = st.integers(0, 2)
_NO_CREDIT = st.sampled_from([0, -1, MAX_WINDOW + 1, 10**9, True, 1.5, "8", None, [8]])


class Making:
    """Makes what is sent on one channel; the consumer class can be asked what no schema can tell."""

    def __init__(
        self, channel: Channel, consumer: Consumer | None, own: Own, topic: TopicName = None
    ) -> None:
        self._channel = channel
        self._consumer = consumer
        self._own = own
        self._names = names_of(channel, consumer, topic)
        self._codec = None if consumer is None else _codec_of(channel, consumer)

    def scripts(self, request: Request, kind: Kind) -> st.SearchStrategy[Script]:
        """Return the conversations of one test."""
        if kind == "invalid":
            return st.builds(_wrong, self.invalid(request), self._replies(), self._names)
        if request in self._channel.topic_requests:
            return st.builds(
                Script, message=st.just({}), replies=self._replies(), topic=self._names
            )
        return st.builds(
            Script,
            message=self.valid(request),
            replies=self._replies(),
            window=_WINDOWS if request.takes_window else st.just(1),
            items=_ITEMS if kind == "cancel" else st.just(0),
            credit=_NO_CREDIT if kind == "credit" else st.none(),
            topic=self._names,
        )

    def valid(self, request: Request) -> st.SearchStrategy[JSONObject]:
        """Return messages that the server has to take."""
        window = ("window",) if request.takes_window else ()
        return self._made(request.message, window).filter(self._is_taken)

    def invalid(self, request: Request) -> st.SearchStrategy[Mutation]:
        """Return messages that the server has to refuse, each with a single thing wrong."""

        def wrong(message: JSONObject) -> st.SearchStrategy[Mutation]:
            found = [item for item in mutations(request.message, message) if self._is_refused(item)]
            return st.sampled_from(found) if found else st.nothing()

        return self.valid(request).flatmap(wrong)

    def _replies(self) -> st.SearchStrategy[dict[str, JSONObject]]:
        """Return an answer to each request of the server."""
        topic = self._channel.topic
        hosts = () if topic is None else topic.host.questions
        questions = (*hosts, *self._channel.questions)
        return st.fixed_dictionaries({item.message.name: self._reply(item) for item in questions})

    def _reply(self, question: Question) -> st.SearchStrategy[JSONObject]:
        codec = self._answer_codec(question)

        def taken(reply: MessageSchema) -> st.SearchStrategy[JSONObject]:
            address = self._address(reply)
            return self._made(reply).filter(
                lambda message: (
                    not reply.problems({**message, **address})
                    and (codec is None or _is_decoded(codec, message))
                )
            )

        return st.one_of([taken(reply) for reply in question.replies])

    def _made(
        self, message: MessageSchema, envelope: tuple[str, ...] = ()
    ) -> st.SearchStrategy[JSONObject]:
        """Return messages as they travel, without what belongs to their envelope."""
        own = self._own_of(message)
        made = Values(message.components).of(message.schema) if own is None else own
        left_out = {*envelope, *(("ref", "version") if message.correlates else ())}
        left_out.update(self._address(message))

        # Any: messages, or JSON.
        def plain(found: Any) -> JSONObject:
            content: JSONObject = self._encoded(found) if isinstance(found, BaseMessage) else found
            return {name: value for name, value in content.items() if name not in left_out}

        return made.map(plain)

    def _address(self, message: MessageSchema) -> JSONObject:
        """Return what a message names besides: the topic."""
        topic = self._channel.topic
        is_named = topic is not None and "topic" in message.properties
        return {"topic": topic.example} if topic is not None and is_named else {}

    def _own_of(self, message: MessageSchema) -> st.SearchStrategy[Any] | None:
        for key, strategy in self._own.items():
            names = (key,) if isinstance(key, str) else message_actions(key)
            if message.name in names:
                return strategy
        return None

    def _encoded(self, message: BaseMessage) -> JSONObject:
        if self._codec is None:
            raise ValueError("Without a consumer class, strategies have to make JSON objects.")
        encoded: JSONObject = from_json(self._codec.encode(message))
        return encoded

    def _is_taken(self, message: JSONObject) -> bool:
        """Hold a message against the document, and the consumer's own checks that no schema can tell."""
        if not self._channel.is_valid_request(message):
            return False
        return self._codec is None or _is_decoded(self._codec, message)

    def _is_refused(self, mutation: Mutation) -> bool:
        """Servers may be more lenient than the document, which a consumer class can be asked."""
        if self._channel.is_valid_request(mutation.message):
            return False
        return self._codec is None or not _is_decoded(self._codec, mutation.message)

    def _answer_codec(self, question: Question) -> Codec | None:
        """Return what reads the answers to a request of the server."""
        if self._consumer is None:
            return None
        consumer = self._consumer
        is_own = question in self._channel.questions
        spec = spec_of(self._channel, consumer) if is_own else consumer.spec
        answers = [
            answer
            for asked, answer in spec.requests.items()
            if question.message.name in message_actions(asked)
        ]
        if not answers:
            return None
        wire = consumer.spec.wire_format
        return Codec(tuple(answers), (), wire, max_depth=consumer.max_json_depth)


def _wrong(mutation: Mutation, replies: dict[str, JSONObject], topic: str) -> Script:
    return Script(mutation.message, wrong=mutation.what, replies=replies, topic=topic)


def _codec_of(channel: Channel, consumer: Consumer) -> Codec:
    return spec_of(channel, consumer).codec(consumer.spec.wire_format, consumer.max_json_depth)


def _is_decoded(codec: Codec, message: JSONObject) -> bool:
    try:
        codec.decode(to_json(message).decode())
    except InvalidFrameError:
        return False
    return True
