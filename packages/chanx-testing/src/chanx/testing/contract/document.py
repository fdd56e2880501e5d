"""One channel of an AsyncAPI document: what a client may send, and what it may receive."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from jsonschema import Draft7Validator

from chanx.type_defs import JSONObject

__all__ = ["Channel", "MessageSchema", "Request", "channel_of"]

_PLACEHOLDER = re.compile(r"\\{[^{}]+\\}")


class MessageSchema:
    """One message of a document, and how frames are held to it."""

    def __init__(self, document: JSONObject, reference: str) -> None:
        component: JSONObject = followed(document, reference)
        self.name: str = component["name"]
        self.correlates: bool = "correlationId" in component
        self.components: JSONObject = document["components"]
        self.schema: JSONObject = component["payload"]
        # Any: its annotations are incomplete.
        self._validator: Any = Draft7Validator({**self.schema, "components": self.components})

    # Any: frames are whatever JSON can hold.
    def problems(self, frame: Any) -> list[str]:
        """Return what is wrong with a frame, the place first."""
        return [
            f"{error.json_path}: {error.message}" for error in self._validator.iter_errors(frame)
        ]

    @cached_property
    def properties(self) -> JSONObject:
        """The fields of the frame."""
        schema = self.schema
        while "$ref" in schema:
            schema = followed({"components": self.components}, schema["$ref"])
        return cast(JSONObject, schema.get("properties", {}))

    @cached_property
    def key(self) -> str:
        """The field that names the message. Raises ValueError where there is none."""
        for name, field in self.properties.items():
            if self.name in _constants(field):
                return name
        raise ValueError(f"No field of the message {self.name!r} says that it is one.")

    def is_meant(self, frame: Any) -> bool:
        """Tell whether a frame says that it is this message."""
        if not isinstance(frame, dict):
            return False
        return cast(JSONObject, frame).get(self.key) in _constants(self.properties[self.key])


def _constants(field: JSONObject) -> list[Any]:
    return [field["const"]] if "const" in field else field.get("enum", [])


@dataclass(frozen=True)
class Request:
    """A message of clients, and the messages that may answer it."""

    operation: str
    message: MessageSchema
    replies: tuple[MessageSchema, ...]


@dataclass(frozen=True)
class Channel:
    """What travels on one channel."""

    name: str
    requests: tuple[Request, ...]
    sent: tuple[MessageSchema, ...]

    def problems(self, frame: Any) -> list[str]:
        """Return what is wrong with a frame that the server sent; nothing where the document has it."""
        meant = [message for message in self.sent if message.is_meant(frame)]
        if not meant:
            names = ", ".join(sorted({message.name for message in self.sent}))
            return [f"its type is not in the document, which has {names}"]
        found = [message.problems(frame) for message in meant]
        return [] if [] in found else found[0]

    def is_valid_request(self, frame: Any) -> bool:
        """Tell whether the document lets a client send a frame."""
        return any(not request.message.problems(frame) for request in self.requests)


def channel_of(document: JSONObject, path: str, name: str | None = None) -> Channel:
    """Find a channel by its name, else by the address that a path matches. Raises ValueError."""
    channels: JSONObject = document["channels"]
    found = [name] if name in channels else _matching(channels, path) if name is None else []
    if len(found) != 1:
        raise ValueError(
            f"{name or path!r} is not one channel of the document, which has: "
            + ", ".join(f"{key} ({item['address']})" for key, item in channels.items())
        )
    return _channel(document, found[0])


def _matching(channels: JSONObject, path: str) -> list[str]:
    path = path.partition("?")[0]
    matching = [key for key, item in channels.items() if _matches(item["address"], path)]
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
    requests = [
        request
        for key, operation in operations
        if operation["action"] == "receive"
        for request in _requests(document, key, operation)
    ]
    pushed = [
        message
        for _, operation in operations
        if operation["action"] == "send"
        for message in _messages(document, operation.get("messages", ()))
    ]
    replies = [reply for request in requests for reply in request.replies]
    return Channel(name, tuple(requests), (*replies, *pushed))


def _requests(document: JSONObject, key: str, operation: JSONObject) -> list[Request]:
    replies = tuple(_messages(document, operation.get("reply", {}).get("messages", ())))
    return [
        Request(key, message, replies) for message in _messages(document, operation["messages"])
    ]


def _messages(document: JSONObject, references: Iterable[JSONObject]) -> list[MessageSchema]:
    return [MessageSchema(document, reference["$ref"]) for reference in references]


def followed(document: JSONObject, reference: str) -> JSONObject:
    """Return what a reference leads to, over as many further ones as there are."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return followed(document, found["$ref"]) if found.keys() == {"$ref"} else found
