"""The operations of one channel, named from the server's side: it receives and sends."""

from collections.abc import Iterator
from typing import Any

from chanx.asyncapi.answers import ANSWERS, answers, confirmation
from chanx.asyncapi.controls import CONTROL, SUMMARIES
from chanx.asyncapi.messages import Messages
from chanx.asyncapi.schemas import MessageUse
from chanx.asyncapi.security import SecuritySchemes
from chanx.asyncapi.sources import Source
from chanx.core.handlers import HandlerSpec
from chanx.messages.base import BaseMessage, message_actions
from chanx.type_defs import JSONObject

__all__ = ["operations"]


class _Channel:
    """One channel, as its operations point to it."""

    def __init__(
        self, source: Source, key: str, messages: Messages, schemes: SecuritySchemes
    ) -> None:
        self.source = source
        self.key = key
        self._messages = messages
        self._schemes = schemes

    def operation(
        self,
        action: str,
        uses: list[MessageUse],
        handler: HandlerSpec | None = None,
        **details: Any,
    ) -> JSONObject:
        """Return an operation; empty details are left out."""
        security = self._schemes.references(self.source, handler)
        given = {name: value for name, value in {**details, "security": security}.items() if value}
        return {"action": action, **self.reference(uses), **given}

    def reference(self, uses: list[MessageUse]) -> JSONObject:
        """Point to the channel and to some of its messages."""
        channel = f"#/channels/{self.key}"
        keys = self._messages.keys(uses)
        return {
            "channel": {"$ref": channel},
            "messages": [{"$ref": f"{channel}/messages/{key}"} for key in keys],
        }


def operations(
    source: Source, key: str, messages: Messages, schemes: SecuritySchemes
) -> Iterator[tuple[str, JSONObject]]:
    """Yield name and content of each operation.

    First come client messages and events, then requests to the client and control messages, then what comes by itself.
    """
    channel = _Channel(source, key, messages, schemes)
    for handler in source.message_handlers:
        yield handler.action, _received(channel, handler)
    for handler in source.event_handlers:
        outputs = source.events(handler)
        yield handler.action, channel.operation("send", outputs, **_described(handler))
    for request in source.spec.requests:
        yield message_actions(request)[0], _asked(channel, request)
    for name in source.controls:
        yield name, _controlled(channel, name)
    if source.spec.emits:
        emits = source.pushed(*source.spec.emits)
        yield f"{key}_emits", channel.operation("send", emits, summary="Messages the server pushes")
    about = "connection" if source.topic is None else "topic"
    summary = f"Errors and notices of the {about}"
    yield f"{key}_notices", channel.operation("send", source.notices(), summary=summary)


def _received(channel: _Channel, handler: HandlerSpec) -> JSONObject:
    source = channel.source
    reply = {**channel.reference(source.answers(handler)), ANSWERS: answers(handler)}
    return channel.operation(
        "receive", [source.received(handler)], handler, **_described(handler), reply=reply
    )


def _asked(channel: _Channel, request: type[BaseMessage]) -> JSONObject:
    sent, answer = channel.source.request(request)
    summary = "The server asks its client"
    return channel.operation("send", [sent], summary=summary, reply=channel.reference([answer]))


def _controlled(channel: _Channel, name: str) -> JSONObject:
    source = channel.source
    control = source.controls[name]
    details: dict[str, Any] = {"summary": SUMMARIES[control], CONTROL: control}
    confirmed = source.confirmation(name)
    if confirmed is not None:
        reply = channel.reference(source.confirmations(name))
        details["reply"] = {**reply, ANSWERS: confirmation(confirmed)}
    return channel.operation("receive", [source.control(name)], **details)


def _described(handler: HandlerSpec) -> JSONObject:
    tags = [{"name": tag} for tag in handler.tags]
    return {"summary": handler.summary, "description": handler.description, "tags": tags}
