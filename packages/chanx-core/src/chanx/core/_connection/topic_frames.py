"""Which topic a frame is for, and requests about topics."""

import re
from collections.abc import Coroutine
from typing import Any, cast

from pydantic_core import to_json

from chanx.constants import MAX_TOPIC_LENGTH
from chanx.core._connection.dispatcher import FrameDispatcher, parsed_object
from chanx.core._connection.subscriptions import (
    RefusedError,
    Subscription,
    Subscriptions,
    is_topic_name,
)
from chanx.core._ports import HandlerOwner
from chanx.core._wire.error_frames import InvalidFrameError
from chanx.messages.topic import TopicErrorReason
from chanx.type_defs import ASGIEvent, JSONObject

__all__ = ["TopicFrames"]

# Most clients write the name among the last keys of a frame, where it needs no parser to be found.
_LAST_KEYS = re.compile(
    rf',"topic":"([^"\\\x00-\x1f\ud800-\udfff]{{1,{MAX_TOPIC_LENGTH}}})"'
    r'(?:,"ref":"[^"\\]*")?(?:,"window":[0-9]+)?\}'
).fullmatch


class TopicFrames:
    """Passes each frame on: to its topic, to the consumer, or to the subscriptions if it is a request about a topic."""

    def __init__(
        self, consumer: HandlerOwner, frames: FrameDispatcher, topics: Subscriptions
    ) -> None:
        spec = consumer.spec
        self._consumer = consumer
        self._frames = frames
        self._topics = topics
        self._before = spec.integration.before_dispatch
        self._controls = spec.topic_controls
        self._word, self._other_word = (f'"{name}"' for name in self._controls)
        self._field = frames.codec.wire.discriminator_field
        self._is_declared = frames.codec.declares_anywhere("topic")

    def handle(self, event: ASGIEvent) -> Coroutine[Any, Any, None]:
        """Handle one `websocket.receive` event. Raises only what ends the connection or the process."""
        text: str = event.get("text") or ""
        at = text.find('"topic"')
        if at < 0 and self._topics.default is None and "\\u" not in text:
            return self._frames.handle(event)
        subscription = self._plainly_addressed(text, at)
        if subscription is not None:
            return subscription.frames.handle(event)
        content = parsed_object(text)
        passed_on = None if content is None else self.route_object(content, event)
        return passed_on or self._frames.handle(event)

    def _plainly_addressed(self, text: str, at: int) -> Subscription | None:
        """Return the subscription that a frame is for, where that needs no parser; `at` is where `"topic"` is found."""
        found = _LAST_KEYS(text, at - 1) if at > 0 and not self._is_declared else None
        # An escape could spell a key, or the action of a request.
        if found is None or self._word in text or self._other_word in text or "\\u" in text:
            return None
        return self._topics.get(found[1])

    def route_object(
        self, content: JSONObject, event: ASGIEvent | None = None
    ) -> Coroutine[Any, Any, None] | None:
        """Return what handles a parsed frame of a topic; None for one of the consumer. `event` is what it came in."""
        action = content.get(self._field)
        name = self._name_in(content, action)
        if name is None:
            return None
        if isinstance(action, str) and action in self._controls and "topic" in content:
            return self._request(action, name, content)
        if not is_topic_name(name):
            return self._request(None, name, content)
        return self._pass_on(name, event or {"text": to_json(content).decode()})

    # Any: what a client wrote.
    def _name_in(self, content: JSONObject, action: object) -> Any:
        name = content.get("topic")
        if name is None:
            return self._topics.default
        # A message that declares the key keeps it.
        return None if self._frames.codec.declares("topic", action) else name

    def _pass_on(self, name: str, event: ASGIEvent) -> Coroutine[Any, Any, None]:
        subscription = self._topics.get(name)
        if subscription is not None:
            return subscription.frames.handle(event)
        return self._pass_on_later(name, event)

    async def _pass_on_later(self, name: str, event: ASGIEvent) -> None:
        """Wait for a request about the topic that another task handles."""
        subscription = await self._topics.settled(name)
        if subscription is not None:
            await subscription.frames.handle(event)
            return
        content = parsed_object(event["text"])
        if content is not None:
            await self._request(None, name, content)

    def is_concurrent(self, name: object, event: ASGIEvent) -> bool:
        """Tell whether a frame of a topic need not keep to the order."""
        name = self._topics.default if name is None else name
        subscription = self._topics.get(name)
        return subscription is not None and subscription.frames.is_concurrent(event)

    # Requests about topics

    async def _request(self, action: str | None, name: object, content: JSONObject) -> None:
        """Handle a request; without an action, refuse a frame whose topic is none of the client's."""
        try:
            _, (ref, _) = self._frames.codec.split(content)
        except InvalidFrameError as error:
            await self._frames.reject_under(error.ref, error)
            return
        try:
            await self._answer(action, name, ref, content.get("payload"))
        except RefusedError as refusal:
            await self._topics.refuse(name, ref, refusal)
        except BaseException as error:
            await self._topics.refuse_failure(name, ref, error)

    # Any: what a client wrote.
    async def _answer(
        self, action: str | None, name: object, ref: str | None, payload: Any
    ) -> None:
        """Do what a client asks for. Raises RefusedError, and what the hooks of a framework raise."""
        if not is_topic_name(name):
            raise RefusedError(
                TopicErrorReason.INVALID_TOPIC,
                f"A topic is a text of 1 to {MAX_TOPIC_LENGTH} characters",
            )
        if action is None:
            raise RefusedError(TopicErrorReason.NOT_SUBSCRIBED, f"Not subscribed to {name!r}")
        if self._consumer.log_websocket_message:
            self._frames.log.received(action)
        if self._before is not None:
            await self._before()
        if self._controls[action] == "subscribe":
            since = cast(JSONObject, payload) if isinstance(payload, dict) else {}
            await self._topics.subscribe(name, ref, since.get("since"))
        else:
            await self._topics.unsubscribe(name, ref)
