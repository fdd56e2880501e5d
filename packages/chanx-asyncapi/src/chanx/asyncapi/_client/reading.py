"""From a document to the model of its clients."""

from collections.abc import Iterable, Iterator
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from chanx.asyncapi._client._envelope import without_envelope
from chanx.asyncapi._client.model import (
    AnswerMode,
    Channel,
    ClientModel,
    CloseCode,
    ControlKind,
    HandshakeValue,
    Message,
    Operation,
    ServerRequest,
    Topic,
)
from chanx.asyncapi.actions import action_field, schema_actions
from chanx.asyncapi.answers import ANSWERS
from chanx.asyncapi.channels import TOPIC
from chanx.asyncapi.close_codes import CLOSE_CODES, HEARTBEAT_INTERVAL, RETRIES
from chanx.asyncapi.controls import CONTROL
from chanx.asyncapi.errors import InputError
from chanx.asyncapi.shapes import is_list, is_object
from chanx.asyncapi.validation._problem import pointer
from chanx.asyncapi.validation._references import broken_references, resolved
from chanx.type_defs import JSONObject

__all__ = ["read_client"]

_SCHEMAS = "#/components/schemas/"
_MODES = get_args(AnswerMode)
_CONTROLS = get_args(ControlKind)
_LOCATIONS = {"query": "query", "headers": "header"}


def read_client(document: JSONObject) -> ClientModel:
    """Return the model of a document's clients.

    Raises InputError, in one sentence with the place, for a document that no client can be made of.
    """
    broken = next(iter(broken_references(document)), None)
    if broken is not None:
        raise InputError(f"{broken.place}: {broken.message}")
    return _Reader(document).client()


class _Reader:
    def __init__(self, document: JSONObject) -> None:
        self.document = document
        self.messages: dict[str, Message] = {}
        self.schemas: dict[str, JSONObject] = dict(_section(document, "components", "schemas"))

    def client(self) -> ClientModel:
        info = _object(self.document.get("info"))
        channels = tuple(self._channels())
        return ClientModel(
            title=_text(info.get("title")),
            version=_text(info.get("version")),
            description=_text(info.get("description")),
            servers=tuple(self._servers()),
            channels=channels,
            schemas=self.schemas,
        )

    def resolve(self, value: Any) -> JSONObject:
        return resolved(self.document, value)

    def _servers(self) -> Iterator[str]:
        for key, one in _section(self.document, "servers").items():
            server = self.resolve(one)
            url = f"{server.get('protocol', 'wss')}://{server.get('host')}{server.get('pathname') or ''}"
            try:
                urlsplit(url)
            except ValueError as error:
                raise InputError(f"{pointer('servers', key)}: {url!r} is no URL.") from error
            yield url

    def _channels(self) -> Iterator[Channel]:
        parts = {
            key: _Part(self, key, self.resolve(content))
            for key, content in _section(self.document, "channels").items()
        }
        for key, one in _section(self.document, "operations").items():
            self._add_operation(parts, key, self.resolve(one))
        topics = [part for part in parts.values() if part.is_topic]
        addresses = {part.address for part in parts.values() if not part.is_topic}
        for part in parts.values():
            mounted = [one for one in topics if one.address == part.address]
            if not part.is_topic:
                yield part.channel(mounted)
            elif part.address not in addresses:
                # A consumer that has topics and nothing else has no channel of its own.
                addresses.add(part.address)
                yield part.host().channel(mounted)

    def _add_operation(self, parts: dict[str, "_Part"], key: str, operation: JSONObject) -> None:
        reference = _text(_object(operation.get("channel")).get("$ref"))
        part = parts.get(
            reference.removeprefix("#/channels/").replace("~1", "/").replace("~0", "~")
        )
        if part is None:
            raise InputError(f"{pointer('operations', key)}: {reference!r} is no channel.")
        part.operations.append((key, operation))

    def message(self, reference: JSONObject, place: str) -> Message:
        """Return the message that a reference of an operation means."""
        found = self.resolve(reference)
        target = reference.get("$ref")
        while isinstance(target, str) and not target.startswith("#/components/"):
            inner = _lookup(self.document, target).get("$ref")
            if not isinstance(inner, str):
                break
            target = inner
        key = _text(target).removeprefix("#/components/messages/").removeprefix("#/")
        key = key or place
        if key not in self.messages:
            self.messages[key] = self._new_message(key.rpartition("/")[2], found, place)
        return self.messages[key]

    def _new_message(self, key: str, found: JSONObject, place: str) -> Message:
        payload = found.get("payload")
        if is_object(payload) and "schemaFormat" in payload:
            raise InputError(f"{place}: the schema of the message {key!r} is not JSON Schema.")
        name = _schema_name(payload)
        schema = without_envelope(self.resolve(payload))
        if name is not None:
            self.schemas[name] = schema
        return Message(
            key=key,
            title=_text(found.get("title")) or _text(found.get("name")) or key,
            actions=tuple(schema_actions(schema)) or (_text(found.get("name")) or key,),
            schema=schema,
            schema_name=name,
        )


class _Part:
    """A channel of the document: of an address, or of a topic there."""

    def __init__(self, reader: _Reader, key: str, content: JSONObject) -> None:
        self.reader = reader
        self.key = key
        self.content = content
        self.address = _text(content.get("address"))
        self.operations: list[tuple[str, JSONObject]] = []

    @property
    def is_topic(self) -> bool:
        return TOPIC in self.content

    def host(self) -> "_Part":
        """Return the channel that mounts this topic: it has no messages."""
        kept = ("address", "parameters", "bindings", CLOSE_CODES, HEARTBEAT_INTERVAL)
        suffix = f"_{_text(_object(self.content[TOPIC]).get('name'))}"
        content = {name: self.content[name] for name in kept if name in self.content}
        return _Part(self.reader, self.key.removesuffix(suffix) or self.key, content)

    def channel(self, topics: "list[_Part]") -> Channel:
        common = self._common()
        controls = self._controls()
        for topic in topics:
            controls |= topic._controls()
        messages = [*common["sent"], *common["received"]]
        for topic in topics:
            part = topic._common()
            messages += [*part["sent"], *part["received"]]
        return Channel(
            **common,
            address=self.address,
            parameters=tuple(_section(self.content, "parameters")),
            handshake=tuple(self._handshake()),
            discriminator=next(
                filter(None, (action_field(one.schema) for one in messages)), "action"
            ),
            controls=controls,
            topics=tuple(topic.topic() for topic in topics),
            close_codes=tuple(self._close_codes()),
            heartbeat_interval=_number(self.content.get(HEARTBEAT_INTERVAL)),
        )

    def topic(self) -> Topic:
        said = _object(self.content[TOPIC])
        pattern = said.get("pattern")
        if not isinstance(pattern, str) or not pattern:
            raise InputError(f"{pointer('channels', self.key, TOPIC)} has no pattern.")
        return Topic(
            **self._common(),
            name=_text(said.get("name")) or self.key,
            pattern=pattern,
            parameters=tuple(map(str, _list(said.get("parameters")))),
            schema=_object(said.get("schema")),
        )

    # Any: the fields that channels and topics share, each of its own type.
    def _common(self) -> dict[str, Any]:
        operations = [*self._sent_operations()]
        requests = [*self._requests()]
        pushed = [*self._pushed()]
        answers = [answer for request in requests for answer in request.answers]
        replies = [reply for operation in operations for reply in operation.replies]
        asked = [request.message for request in requests]
        return {
            "key": self.key,
            "title": _text(self.content.get("title")) or self.key,
            "description": _text(self.content.get("description")),
            "operations": tuple(operations),
            "pushed": _unique(pushed),
            "requests": tuple(requests),
            "sent": _unique([*(operation.message for operation in operations), *answers]),
            "received": _unique([*replies, *asked, *pushed, *self._confirmations()]),
        }

    def _sent_operations(self) -> Iterator[Operation]:
        for key, operation in self.operations:
            if operation.get("action") != "receive" or CONTROL in operation:
                continue
            replies = self._replies(key, operation)
            said = _object(self.reader.resolve(operation.get("reply")).get(ANSWERS))
            mode = said.get("mode")
            answers = tuple(map(str, _list(said.get("messages"))))
            for message in self._messages(operation, key):
                yield Operation(
                    name=key,
                    message=message,
                    mode=cast(AnswerMode, mode) if mode in _MODES else "unknown",
                    items=tuple(one for one in replies if set(one.actions) & set(answers)),
                    ends=tuple(map(str, _list(said.get("ends")))),
                    replies=replies,
                    window=_whole(said.get("window")),
                    is_cancellable=said.get("cancellable") is True,
                    summary=_text(operation.get("summary")),
                    description=_text(operation.get("description")),
                )

    def _requests(self) -> Iterator[ServerRequest]:
        for key, operation in self.operations:
            if operation.get("action") == "send" and "reply" in operation:
                for message in self._messages(operation, key):
                    yield ServerRequest(
                        name=key,
                        message=message,
                        answers=self._replies(key, operation),
                        summary=_text(operation.get("summary")),
                        description=_text(operation.get("description")),
                    )

    def _pushed(self) -> Iterator[Message]:
        for key, operation in self.operations:
            if operation.get("action") == "send" and "reply" not in operation:
                yield from self._messages(operation, key)

    def _confirmations(self) -> Iterator[Message]:
        for key, operation in self.operations:
            if CONTROL in operation:
                yield from self._replies(key, operation)

    def _controls(self) -> dict[ControlKind, str]:
        found: dict[ControlKind, str] = {}
        for key, operation in self.operations:
            kind = operation.get(CONTROL)
            if kind in _CONTROLS:
                message = next(iter(self._messages(operation, key)), None)
                found[cast(ControlKind, kind)] = message.actions[0] if message else key
        return found

    def _replies(self, key: str, operation: JSONObject) -> tuple[Message, ...]:
        reply = self.reader.resolve(operation.get("reply"))
        place = pointer("operations", key, "reply")
        listed = _list(reply.get("messages"))
        return _unique(self.reader.message(_object(one), place) for one in listed)

    def _messages(self, operation: JSONObject, key: str) -> tuple[Message, ...]:
        place = pointer("operations", key)
        listed = operation.get("messages")
        if listed is None:
            # Without a list it is about every message of its channel.
            listed = [
                {"$ref": f"#{pointer('channels', self.key, 'messages', name)}"}
                for name in _section(self.content, "messages")
            ]
        return _unique(self.reader.message(_object(one), place) for one in _list(listed))

    def _handshake(self) -> Iterator[HandshakeValue]:
        bindings = self.reader.resolve(self.content.get("bindings"))
        binding = self.reader.resolve(bindings.get("ws"))
        for part, location in _LOCATIONS.items():
            values = self.reader.resolve(binding.get(part))
            required = _list(values.get("required"))
            for name, schema in _section(values, "properties").items():
                yield HandshakeValue(
                    name=name,
                    location="query" if location == "query" else "header",
                    is_required=name in required,
                    schema=_object(schema),
                )

    def _close_codes(self) -> Iterator[CloseCode]:
        for code, said in _section(self.content, CLOSE_CODES).items():
            place = pointer("channels", self.key, CLOSE_CODES, code)
            retry = _object(said).get("retry")
            if not code.isdecimal() or retry not in RETRIES:
                raise InputError(f"{place} is no close code with one of {', '.join(RETRIES)}.")
            yield CloseCode(int(code), retry, _text(_object(said).get("meaning")))


def _lookup(document: JSONObject, reference: str) -> JSONObject:
    """Return what a reference points to, which may be another reference."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if is_list(found) else found[name]
    return _object(found)


def _schema_name(payload: Any) -> str | None:
    reference = payload.get("$ref") if is_object(payload) else None
    if isinstance(reference, str) and reference.startswith(_SCHEMAS):
        name = reference.removeprefix(_SCHEMAS)
        if "/" not in name:
            return name.replace("~1", "/").replace("~0", "~")
    return None


def _unique(messages: Iterable[Message]) -> tuple[Message, ...]:
    return tuple({message.key: message for message in messages}.values())


def _section(content: JSONObject, *path: str) -> JSONObject:
    for key in path:
        content = _object(content.get(key))
    return content


def _object(value: Any) -> JSONObject:
    return value if is_object(value) else {}


def _list(value: Any) -> list[Any]:
    return value if is_list(value) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value > 0 else None
