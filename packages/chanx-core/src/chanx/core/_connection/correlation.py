"""One client message and what answers it."""

import asyncio
from typing import Any

from chanx.core.codec import BEFORE_REF, with_ref

__all__ = ["Exchange", "Exchanges"]


class Exchange:
    """The handling of one client message: its reference, and whether its last frame has gone out.

    `held` collects the frames that leave together at the end, where the consumer does not send immediately. `seq`
    counts the items of a stream, which carry it if there is a reference; None where the answer is one message.
    `window` is how many items the client can take before it asks for more. `offset` is the number of an event of a
    topic, which its frames carry; `marked` is the last of the held frames that does. `before_ref` is set while a frame
    is sent that has its other keys already.
    """

    __slots__ = (
        "answered",
        "before_ref",
        "failed",
        "held",
        "marked",
        "offset",
        "ref",
        "seq",
        "window",
    )

    def __init__(self, ref: str | None, hold: bool = False, window: int | None = None) -> None:
        self.ref = ref
        self.answered = self.failed = False
        self.held: list[str] | None = [] if hold else None
        self.seq: int | None = None
        self.window = window
        self.offset: int | None = None
        self.marked: int | None = None
        self.before_ref: str | None = None

    @property
    def is_waiting(self) -> bool:
        """True while the client still waits for a last frame under its reference."""
        return self.ref is not None and not self.failed and not self.answered

    def addressed(self, text: str, before_ref: str = BEFORE_REF) -> str:
        """Return an encoded message as an answer under the reference, or as the next item of a stream."""
        if self.ref is None:
            if self.seq is not None:
                self.seq += 1
            return text
        text = with_ref(text, self.ref, self.before_ref or before_ref)
        if self.seq is None:
            return text
        self.seq += 1
        return f'{text[:-1]},"seq":{self.seq}}}'


class Exchanges(dict["asyncio.Task[Any] | None", Exchange | str]):
    """The exchanges of one connection, by the task that handles each; empty most of the time.

    A frame belongs to an exchange when the handling task itself sends it: what a handler started in
    the background pushes is no answer and carries no reference. Most exchanges are one message and one answer: they
    are kept as their reference alone until somebody asks for more.
    """

    __slots__ = ()

    def begin(self, ref: str | None, *, hold: bool) -> Exchange:
        """Start an exchange in the current task."""
        exchange = self[asyncio.current_task()] = Exchange(ref, hold)
        return exchange

    def current(self) -> Exchange | None:
        """Return the current task's exchange."""
        return self.of(asyncio.current_task()) if self else None

    def of(self, task: "asyncio.Task[Any] | None") -> Exchange | None:
        """Return the exchange of a task."""
        found = self.get(task)
        if isinstance(found, str):
            found = self[task] = Exchange(found)
        return found

    def answer(self, task: "asyncio.Task[Any] | None", text: str, before_ref: str) -> str:
        """Return what a handler answers, addressed; empty where it is held back until the exchange ends."""
        exchange = self.get(task)
        if exchange is None:
            return text
        if isinstance(exchange, str):  # the answer is all there is to it
            del self[task]
            if exchange.isalnum():  # needs no escapes
                return f'{text[:-1]}{before_ref}"{exchange}"}}'
            return with_ref(text, exchange, before_ref)
        text = exchange.addressed(text, before_ref)
        exchange.answered = True
        if exchange.held is None:
            return text
        exchange.held.append(text)
        return ""

    def end(self) -> Exchange | None:
        """Forget the current task's exchange, and return it."""
        exchange = self.current()
        self.pop(asyncio.current_task(), None)
        return exchange
