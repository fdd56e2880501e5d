"""One channel of an AsyncAPI document: what clients and server send on it, and what answers it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chanx.constants import MAX_TOPIC_LENGTH, MAX_WINDOW
from chanx.testing.contract.document import MessageSchema
from chanx.type_defs import JSONObject

__all__ = ["COMPLETE", "ERROR", "Channel", "Question", "Request", "TopicPart", "channel_of"]

COMPLETE, ERROR = "complete", "error"
"""The messages that end an answer."""
TOPIC, CONTROL = "x-topic", "x-control"
"""Keys of channels and of operations."""
_PLACEHOLDER = re.compile(r"\\{[^{}]+\\}")
_PARAMETER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Request:
    """A message of clients, and the messages that may answer it."""

    operation: str
    message: MessageSchema
    replies: tuple[MessageSchema, ...]
    mode: str | None = None
    """How it is answered: `stream`, `one`, `none` or `many`; None where the document does not say."""
    declared: tuple[str, ...] = ()
    """The messages that answer it, without those that only end the answer."""
    is_cancellable: bool = False
    is_completed: bool = False
    """True where options ask for a completion after each answer."""

    @property
    def is_stream(self) -> bool:
        """True where items answer it one by one, with numbers, until an end."""
        return self.mode == "stream"

    @property
    def takes_window(self) -> bool:
        """True where clients may say how many items they can take; a field of that name may be the message's own."""
        window: JSONObject = self.message.properties.get("window", {})
        limits = window.get("type"), window.get("minimum"), window.get("maximum")
        return self.is_stream and limits == ("integer", 1, MAX_WINDOW)

    @property
    def names(self) -> str:
        """The messages that answer it, for the text of a failure."""
        return ", ".join(self.declared) or "none"

    def is_declared(self, frame: JSONObject) -> bool:
        """Tell whether a frame is one of the messages that answer it, and valid."""
        return any(
            reply.is_meant(frame) and frame.get(reply.key) in self.declared
            for reply in self.replies
            if not reply.problems(frame)
        )

    def name_of(self, frame: JSONObject) -> str | None:
        """Return the name of the reply that a frame says it is; None for one that is not declared."""
        return next((reply.name for reply in self.replies if reply.is_meant(frame)), None)


@dataclass(frozen=True)
class Question:
    """A message by which the server asks its client, and the messages by which the client may answer."""

    message: MessageSchema
    replies: tuple[MessageSchema, ...]


@dataclass(frozen=True)
class TopicPart:
    """What the channel of a topic has besides: names, and the requests about them."""

    pattern: str
    parameters: Mapping[str, JSONObject]
    """The schema of each parameter in the names."""
    components: JSONObject
    subscribe: Request
    unsubscribe: Request
    unknown: str
    """A name that fits no topic of the connection."""
    host: "Channel"
    """What else travels on the connection: the messages of the consumer, and of its other topics."""

    def name_of(self, values: Mapping[str, str]) -> str:
        """Return the name with these values, whether or not they may stand in one."""
        return _PARAMETER.sub(lambda found: values[found[1]], self.pattern)

    @property
    def example(self) -> str:
        """A name that fits the pattern."""
        return self.name_of(dict.fromkeys(self.parameters, "x"))

    def is_name(self, name: str) -> bool:
        """Tell whether a name fits the pattern."""
        return len(name) <= MAX_TOPIC_LENGTH and _fits(self.pattern, name)


@dataclass(frozen=True)
class Channel:
    """What travels on one channel."""

    name: str
    requests: tuple[Request, ...]
    sent: tuple[MessageSchema, ...]
    """What the server may send, requests to the client included."""
    questions: tuple[Question, ...] = ()
    unasked: tuple[MessageSchema, ...] = ()
    """What the server may send without asking for anything."""
    cancel: MessageSchema | None = None
    more: MessageSchema | None = None
    topic: TopicPart | None = None
    """What it has besides where it is that of a topic."""

    @property
    def topic_requests(self) -> tuple[Request, ...]:
        """The requests about the topic."""
        return () if self.topic is None else (self.topic.subscribe, self.topic.unsubscribe)

    @property
    def correlates(self) -> bool:
        """True where answers carry the `ref` of their message; a message may have a field of that name."""
        return all(request.message.correlates for request in self.requests)

    # Any: frames are whatever JSON can hold.
    def problems(self, frame: Any) -> list[str]:
        """Return what is wrong with a frame that the server sent; nothing where the document has it."""
        meant = [message for message in self.sent if message.is_meant(frame)]
        if not meant:
            names = ", ".join(sorted({message.name for message in self.sent}))
            return [f"its type is not in the document, which has {names}"]
        found = [message.problems(frame) for message in meant]
        return [] if [] in found else found[0]

    def is_valid_request(self, frame: JSONObject) -> bool:
        """Tell whether the document lets a client send a frame."""
        frame = frame if self.topic is None else {**frame, "topic": self.topic.example}
        return any(not request.message.problems(frame) for request in self.requests)

    def question_of(self, frame: JSONObject) -> Question | None:
        """Return the request to the client that a frame is."""
        return next((item for item in self.questions if item.message.is_meant(frame)), None)

    def may_be_unasked(self, frame: JSONObject) -> bool:
        """Tell whether the server may send a frame without asking for anything."""
        return any(message.is_meant(frame) for message in self.unasked)


def channel_of(document: JSONObject, path: str, name: str | None = None) -> Channel:
    """Find a channel by its name, else by the address that a path matches. Raises ValueError."""
    channels: JSONObject = document["channels"]
    found = [name] if name in channels else _matching(channels, path) if name is None else []
    if len(found) != 1:
        raise ValueError(
            f"{name or path!r} is not one channel of the document, which has: "
            + ", ".join(f"{key} ({item['address']})" for key, item in channels.items())
        )
    channel = _channel(document, found[0])
    if TOPIC not in channels[found[0]]:
        return channel
    topic = _topic(document, found[0])
    about = (*topic.subscribe.replies, *topic.unsubscribe.replies)
    return replace(
        channel,
        sent=(*channel.sent, *about),
        unasked=(*channel.unasked, *about),
        topic=topic,
    )


def _matching(channels: JSONObject, path: str) -> list[str]:
    path = path.partition("?")[0]
    matching = [key for key, item in channels.items() if _matches(item["address"], path)]
    # The topics of a consumer have its address, and are meant where they are named.
    matching = [key for key in matching if TOPIC not in channels[key]] or matching
    return [key for key in matching if channels[key]["address"] == path] or matching


def _matches(address: str, path: str) -> bool:
    return re.fullmatch(_PLACEHOLDER.sub("[^/]+", re.escape(address)), path) is not None


def _channel(document: JSONObject, name: str) -> Channel:
    here = {"$ref": f"#/channels/{name}"}
    operations: list[tuple[str, JSONObject]] = [
        (key, operation)
        for key, operation in document["operations"].items()
        if operation["channel"] == here
    ]
    sent = [operation for _, operation in operations if operation["action"] == "send"]
    pushed = [
        message
        for operation in sent
        if "reply" not in operation
        for message in _messages(document, operation.get("messages", ()))
    ]
    is_completed = any(message.name == COMPLETE for message in pushed)
    received = [
        (request, operation)
        for key, operation in operations
        if operation["action"] == "receive"
        and operation.get(CONTROL) not in ("subscribe", "unsubscribe")
        for request in _requests(document, key, operation, is_completed)
    ]
    controls = {
        _control(request.message): request.message
        for request, operation in received
        if "reply" not in operation
    }
    requests = [
        request
        for request, operation in received
        if "reply" in operation or _control(request.message) is None
    ]
    questions = [
        question
        for operation in sent
        if "reply" in operation
        for question in _questions(document, operation)
    ]
    unasked = (*(reply for request in requests for reply in request.replies), *pushed)
    return Channel(
        name,
        tuple(requests),
        (*unasked, *(question.message for question in questions)),
        tuple(questions),
        unasked,
        controls.get("cancel"),
        controls.get("more"),
    )


def _topic(document: JSONObject, name: str) -> TopicPart:
    described: JSONObject = document["channels"][name][TOPIC]
    properties: JSONObject = described.get("schema", {}).get("properties", {})
    subscribe, unsubscribe = (
        _topic_request(document, name, control) for control in ("subscribe", "unsubscribe")
    )
    return TopicPart(
        described["pattern"],
        {key: properties.get(key, {"type": "string"}) for key in described["parameters"]},
        document["components"],
        subscribe,
        unsubscribe,
        _unknown_name(document),
        _host(document, name),
    )


def _topic_request(document: JSONObject, name: str, control: str) -> Request:
    here = {"$ref": f"#/channels/{name}"}
    for key, operation in document["operations"].items():
        if operation["channel"] == here and operation.get(CONTROL) == control:
            return _requests(document, key, operation, is_completed=False)[0]
    raise ValueError(f"The channel {name!r} is that of a topic, and has no operation to {control}.")


def _host(document: JSONObject, name: str) -> Channel:
    """Return what travels on the connection of a topic without being part of it."""
    channels: JSONObject = document["channels"]
    address = channels[name]["address"]
    others = [key for key, item in channels.items() if item["address"] == address and key != name]
    # The consumer first: the others have its address, too.
    parts = [
        _channel(document, key) for key in sorted(others, key=lambda key: TOPIC in channels[key])
    ]
    return Channel(
        name,
        tuple(request for part in parts[:1] for request in part.requests),
        tuple(message for part in parts for message in part.sent),
        tuple(question for part in parts[:1] for question in part.questions),
        tuple(message for part in parts for message in part.unasked),
    )


def _unknown_name(document: JSONObject) -> str:
    """Return a name of more parts than any pattern has: parameters stand for anything without a colon."""
    channels: Iterable[JSONObject] = document["channels"].values()
    parts = [item[TOPIC]["pattern"].count(":") for item in channels if TOPIC in item]
    return ":".join(["unknown"] * (max(parts) + 2))


def _fits(pattern: str, name: str) -> bool:
    literals = [re.escape(part) for part in _PARAMETER.split(pattern)[::2]]
    return re.fullmatch("[^:]+".join(literals), name) is not None


def _control(message: MessageSchema) -> str | None:
    """Tell what a message without an answer controls: it names another message by the `ref` that it must have."""
    if message.correlates or not message.requires("ref"):
        return None
    match sorted(message.properties.keys() - {message.key}):
        case ["ref"]:
            return "cancel"
        case ["payload", "ref"]:
            return "more"
        case _:
            return None


def _requests(
    document: JSONObject, key: str, operation: JSONObject, is_completed: bool
) -> list[Request]:
    reply: JSONObject = operation.get("reply", {})
    replies = tuple(_messages(document, reply.get("messages", ())))
    answers: JSONObject = reply.get("x-answers", {})
    return [
        Request(
            key,
            message,
            replies,
            answers.get("mode"),
            tuple(answers.get("messages", ())),
            answers.get("cancellable") is True,
            is_completed,
        )
        for message in _messages(document, operation["messages"])
    ]


def _questions(document: JSONObject, operation: JSONObject) -> list[Question]:
    replies = tuple(_messages(document, operation["reply"].get("messages", ())))
    return [Question(message, replies) for message in _messages(document, operation["messages"])]


def _messages(document: JSONObject, references: Iterable[JSONObject]) -> list[MessageSchema]:
    return [MessageSchema(document, reference["$ref"]) for reference in references]
