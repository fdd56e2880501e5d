"""Frames that are not messages for a handler: control actions of the client, and its answers to requests."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from chanx.core._connection.client_requests import PREFIX, ClientRequests
from chanx.core._connection.dispatcher import FrameDispatcher, parsed_object
from chanx.core._connection.live_work import LiveWork, RefInUseError, cancelled_by_client
from chanx.core._connection.streams import Stream
from chanx.core._ports import HandlerOwner
from chanx.core._runtime.queue import WorkQueue
from chanx.core._wire.envelope import checked_window, read_envelope
from chanx.core._wire.error_frames import InvalidFrameError
from chanx.core.exceptions import MessageError
from chanx.messages.outgoing import ErrorMessage
from chanx.type_defs import ASGIEvent
from chanx.utils.logging import logger

__all__ = ["ControlFrames"]

# Where an event keeps the reference that was found when it was received.
_REF = "chanx.ref"


class ControlFrames:
    """Looks at each frame before it is queued, and takes those that must not wait for their turn."""

    def __init__(
        self,
        owner: HandlerOwner,
        frames: FrameDispatcher,
        handle: Callable[[ASGIEvent], Coroutine[Any, Any, None]],
        queue: WorkQueue[ASGIEvent],
        live: LiveWork,
        requests: ClientRequests,
    ) -> None:
        self._frames = frames
        self._handle = handle
        self._queue = queue
        self._live = live
        self._requests = requests
        self._field = frames.codec.wire.discriminator_field
        self._controls = owner.spec.controls
        self._names = [f'"{name}"' for name in self._controls]

    async def take(self, event: ASGIEvent) -> bool:
        """Handle a control frame or an answer; false for any other frame, which goes to its handler."""
        text: str | None = event.get("text")
        if text is None:
            return False
        if self._requests.has_sent and f'"{PREFIX}' in text and await self._take_answer(text):
            return True
        if not self._controls or not self._queue.is_open:
            return False
        if any(name in text for name in self._names) and await self._take_control(text):
            return True
        return await self._is_repeated(event, text)

    async def handle(self, event: ASGIEvent) -> None:
        """Handle a frame at its turn."""
        # What came before the client was admitted has not been looked at.
        if _REF not in event and await self.take(event):
            return
        try:
            await self._handle(event)
        finally:
            self._live.received.pop(event.get(_REF, ""), None)

    async def refuse(self, event: ASGIEvent) -> None:
        """Answer a frame for which there is no room, while reading may not wait for any."""
        ref = _ref_of(event.get("text") or "")
        self._live.received.pop(ref or "", None)
        await self._answer(ref, MessageError("overloaded", "Too many messages wait for their turn"))

    # Answers

    async def _take_answer(self, text: str) -> bool:
        content = parsed_object(text)
        ref = None if content is None else content.get("ref")
        if content is None or not isinstance(ref, str) or not self._requests.was_sent(ref):
            return False
        request = self._requests.waiting.get(ref)
        if request is None:
            known = content.get(self._field) in self._frames.codec.actions
            if not known:
                logger.debug("Answer to a request that waits no more")
            return not known
        try:
            answer, _ = request.codec.decode(text)
        except InvalidFrameError as error:
            # The client may try again.
            await self._frames.reject_under(ref, error)
            return True
        if not request.answer.done():
            request.answer.set_result(answer)
        return True

    # Control actions

    async def _take_control(self, text: str) -> bool:
        content = parsed_object(text)
        action = None if content is None else content.get(self._field)
        control = self._controls.get(action) if isinstance(action, str) else None
        if content is None or control is None:
            return False
        ref = content.get("ref")
        if not isinstance(ref, str):
            await self._answer(
                None, MessageError("missing", f"{action} needs the ref of a message")
            )
        elif control == "cancel":
            await self._cancel(ref)
        else:
            await self._give_credit(ref, content.get("payload"))
        return True

    async def _cancel(self, ref: str) -> None:
        work = self._live.by_ref.get(ref)
        if work is not None:
            work.cancel(cancelled_by_client())
            return
        if ref not in self._live.received:
            return
        for event in self._queue.items:
            if event.get(_REF) == ref:
                self._queue.discard(event)
                del self._live.received[ref]
                await self._answer(ref, cancelled_by_client())
                return
        # Its turn has come, and it may not have begun.
        self._live.received[ref] = cancelled_by_client()

    async def _give_credit(self, ref: str, number: object) -> None:
        try:
            credit = checked_window(number, None, "payload")
        except InvalidFrameError as error:
            await self._frames.reject_under(
                None, error
            )  # under the reference it would end the answer
            return
        work = self._live.by_ref.get(ref)
        if isinstance(work, Stream):
            work.give_credit(credit)

    async def _is_repeated(self, event: ASGIEvent, text: str) -> bool:
        """Refuse a message under a reference whose own message waits or is being answered."""
        # A key that messages declare for themselves is no reference.
        ref = None if self._frames.codec.declares_ref else _ref_of(text)
        if ref is not None and (ref in self._live.by_ref or ref in self._live.received):
            await self._answer(None, RefInUseError())
            return True
        cast("dict[str, Any]", event)[_REF] = ref or ""
        if ref is not None:
            self._live.received[ref] = None
        return False

    async def _answer(self, ref: str | None, error: MessageError) -> None:
        self._frames.failed(error)
        await self._frames.send_under(ref, ErrorMessage(payload=[error.item]))


def _ref_of(text: str) -> str | None:
    at = text.find('"ref"')
    if at < 0:
        return None
    envelope = read_envelope(text, at)
    if envelope is not None:
        return envelope[0]
    content = parsed_object(text)
    ref = None if content is None else content.get("ref")
    return ref if isinstance(ref, str) else None
