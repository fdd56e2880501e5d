"""What a client of a document consists of, whatever language it is written in.

Everything is named from the client's side: it sends messages, some of which are answered, and receives others. Names
are those of the wire; each language makes its own identifiers of them.
"""

from dataclasses import dataclass, field
from typing import Literal

from chanx.asyncapi.close_codes import Retry
from chanx.type_defs import JSONObject

__all__ = [
    "AnswerMode",
    "Channel",
    "ClientModel",
    "CloseCode",
    "ControlKind",
    "HandshakeValue",
    "Message",
    "Operation",
    "Retry",
    "ServerRequest",
    "Topic",
]

AnswerMode = Literal["stream", "one", "none", "many", "unknown"]
"""How a message is answered; unknown where the document does not say."""

ControlKind = Literal["cancel", "more", "subscribe", "unsubscribe"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a channel."""

    key: str
    """Its key in the document, unique among the messages of all channels."""
    title: str
    """The name of its class."""
    actions: tuple[str, ...]
    """What its discriminator field may be."""
    schema: JSONObject = field(hash=False)
    """An object, of JSON Schema draft 7, without the keys of the envelope. References: `#/components/schemas/X`."""
    schema_name: str | None = None
    """Which of `ClientModel.schemas` this is, if it is one."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A message that a client sends, and what comes back."""

    name: str
    """The key of the operation in the document."""
    message: Message
    mode: AnswerMode
    items: tuple[Message, ...]
    """What answers it: the items of a stream, the one answer, or any of many. Without its ends."""
    ends: tuple[str, ...]
    """Actions that end the answer. In mode `one` the answer is an end too."""
    replies: tuple[Message, ...]
    """Everything that may come back, ends included."""
    window: int | None = None
    """The credit to start a stream with."""
    is_cancellable: bool = False
    summary: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """A message by which the server asks the client, and what the client may answer."""

    name: str
    message: Message
    answers: tuple[Message, ...]
    summary: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class HandshakeValue:
    """A value of the query or a header that a connection needs or may have."""

    name: str
    location: Literal["query", "header"]
    is_required: bool
    schema: JSONObject = field(hash=False)


@dataclass(frozen=True, slots=True)
class CloseCode:
    """What a close code means."""

    code: int
    retry: Retry
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Messages:
    """What a channel and a topic have in common."""

    key: str
    """Its key in the document."""
    title: str
    description: str
    operations: tuple[Operation, ...]
    pushed: tuple[Message, ...]
    """What the server sends without being asked: events, notices and errors."""
    requests: tuple[ServerRequest, ...]
    sent: tuple[Message, ...]
    """Everything that a client sends, answers to requests included, control messages left out."""
    received: tuple[Message, ...]
    """Everything that a client receives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic(_Messages):
    """A class of topics that clients of a channel subscribe to."""

    name: str
    pattern: str
    """Names of its topics: `discussion:{pk}`."""
    parameters: tuple[str, ...]
    schema: JSONObject = field(hash=False)
    """The parameters as properties of an object; empty where the document does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(_Messages):
    """An address that clients connect to."""

    address: str
    """With parameters in braces: `/ws/{room}`."""
    parameters: tuple[str, ...]
    handshake: tuple[HandshakeValue, ...]
    discriminator: str
    """The field that tells messages apart."""
    controls: dict[ControlKind, str] = field(hash=False)
    """The control actions that the channel or one of its topics has, and their names on the wire."""
    topics: tuple[Topic, ...]
    close_codes: tuple[CloseCode, ...]
    heartbeat_interval: float | None
    """Seconds between heartbeats, for clients that ask for them; None where the document does not say."""


@dataclass(frozen=True, slots=True)
class ClientModel:
    """The clients of one document."""

    title: str
    version: str
    description: str
    servers: tuple[str, ...]
    """URLs with scheme, host and path."""
    channels: tuple[Channel, ...]
    schemas: dict[str, JSONObject] = field(hash=False)
    """The schemas of messages and of what they hold, by name, without the keys of the envelope."""
