"""The raw side of a test connection: ASGI events in and out of an application."""

import asyncio
import contextvars
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import unquote, urlsplit
from weakref import WeakSet

from pydantic_core import from_json

from chanx.core.probe import PROBE_KEY, Probe, ProbedConnection, probed_connections
from chanx.testing.inbox import Inbox
from chanx.testing.quiet import until, until_silent
from chanx.type_defs import ASGIEvent, JSONObject, Scope

__all__ = ["Application", "ConnectionClosedError", "WebsocketConnection"]

# Any: every framework annotates the three arguments of an ASGI application in its own way.
Application = Callable[[Any, Any, Any], Awaitable[Any]]


class ConnectionClosedError(AssertionError):
    """A frame was awaited, and the application closed the connection instead."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(
            f"Expected a frame, but the connection was closed with code {code} {reason!r}."
        )
        self.code = code
        self.reason = reason


class WebsocketConnection:
    """One WebSocket to an ASGI application, without a server between.

    As an async context manager it connects on entering and disconnects on leaving. Times are in
    seconds. A time-out leaves the application alone; what the application raises is raised where
    the test waits. As on a server, sending to a client that has left raises OSError.
    """

    # Those whose application runs: any of them may send to the groups of the others.
    _running: ClassVar[WeakSet["WebsocketConnection"]] = WeakSet()

    def __init__(
        self,
        application: Application,
        path: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
        spec_version: int | None = None,
    ) -> None:
        self.application = application
        self.scope: Scope = websocket_scope(path, headers, subprotocols, spec_version)
        self.subprotocol: str | None = None
        self.response_headers: list[tuple[bytes, bytes]] = []
        self._input_queue: asyncio.Queue[ASGIEvent] = asyncio.Queue()
        self._output_queue = Inbox()
        self._task: asyncio.Task[None] | None = None
        self._answer: tuple[bool, int | str | None] | None = None
        self._left = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._probed: list[ProbedConnection] = []
        self._test_probe: Probe | None = None

    # Properties, because those of the frameworks' communicators are and a class may inherit from both.
    @property
    def input_queue(self) -> "asyncio.Queue[ASGIEvent]":
        """What the application has not received yet."""
        return self._input_queue

    @property
    def output_queue(self) -> Inbox:
        """What the application has sent and the test has not received yet."""
        return self._output_queue

    async def __aenter__(self) -> Self:
        """Connect; AssertionError says with which code the application refused."""
        connected, code = await self.connect()
        if not connected:
            await self.disconnect()
            raise AssertionError(f"The application refused the connection with code {code}.")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self.disconnect()

    async def connect(self, timeout: float = 1) -> tuple[bool, int | str | None]:
        """Do the handshake, once: (True, subprotocol) or (False, close code)."""
        if self._answer is None:
            await self.send_input({"type": "websocket.connect"})
            event = await self.receive_output(timeout)
            accepted = event["type"] == "websocket.accept"
            if not accepted and event["type"] != "websocket.close":
                raise AssertionError(f"Expected an answer to the handshake, but got {event!r}.")
            self._answer = accepted, event.get("subprotocol" if accepted else "code")
            self.subprotocol = event.get("subprotocol")
            self.response_headers = list(event.get("headers") or ())
        return self._answer

    async def disconnect(self, code: int = 1000, timeout: float = 10) -> None:
        """Leave, and wait until the application has ended; raises what it raised."""
        if self._task is None:
            return
        self._left = True
        await self.input_queue.put({"type": "websocket.disconnect", "code": code, "reason": ""})
        await self.wait(timeout)

    async def wait(self, timeout: float = 1) -> None:
        """Wait until the application has ended by itself; raises what it raised.

        Raises TimeoutError, after ending the application, when it does not.
        """
        if self._task is None:
            return
        _, pending = await asyncio.wait([self._task], timeout=timeout)
        if pending:
            self._task.cancel()
            await asyncio.wait([self._task])
            raise TimeoutError(f"The application did not end within {timeout} s.")
        self._task.result()

    def stop(self, exceptions: bool = True) -> None:
        """Cancel the application without a word to it; raise what it had raised before, unless `exceptions` is off."""
        if self._task is None:
            return
        if not self._task.done():
            self._task.cancel()
        elif exceptions:
            self._raise_failure()

    # Frames

    async def send_to(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Send one frame."""
        if self._answer is None:
            await self.connect()
        event: JSONObject = {"type": "websocket.receive"}
        if text_data is not None:
            event["text"] = text_data
        if bytes_data is not None:
            event["bytes"] = bytes_data
        await self.send_input(event)

    # Any: whatever JSON can hold.
    async def send_json_to(self, data: Any) -> None:
        """Send one text frame of JSON; raises ValueError for what JSON cannot hold, NaN included."""
        await self.send_to(text_data=json.dumps(data, allow_nan=False))

    async def receive_from(self, timeout: float | None = 1) -> str:
        """Return the next text frame.

        Raises ConnectionClosedError, TimeoutError when nothing came, AssertionError for a binary frame.
        """
        if self._answer is None:
            await self.connect()
        return text_of(await self.receive_output(timeout))

    async def receive_json_from(self, timeout: float | None = 1) -> Any:
        """Return the next frame as parsed JSON; ValueError where it is none."""
        return from_json(await self.receive_from(timeout), allow_inf_nan=False)

    async def receive_nothing(self, timeout: float = 0.1, interval: float = 0.01) -> bool:
        """Tell whether nothing comes: at once if it is known that nothing can, else after the timeout.

        It is known when every connection of this process is idle, and every message that was sent through a channel
        layer before has been received. Messages of other processes, and of tasks that a handler has started, are not
        waited for. `interval` is accepted for compatibility with the communicators of Channels and has no effect.
        """
        await self._until_silent(lambda: not self.output_queue.empty(), timeout)
        return self.output_queue.empty()

    async def assert_closed(self, code: int | None = None, timeout: float = 1) -> None:
        """Expect that the next thing the application does is to close, with that code if given."""
        event = await self.receive_output(timeout)
        if event["type"] != "websocket.close":
            raise AssertionError(f"Expected the connection to be closed, but got {event!r}.")
        if code is not None and event.get("code", 1000) != code:
            raise AssertionError(f"Expected close code {code}, but it was {event.get('code')}.")

    # Waiting

    async def idle(self, timeout: float = 1) -> None:
        """Wait until nothing of this connection is running or waiting, or it has ended.

        The engine is asked, behind whatever middleware: no frame is sent for it and none is taken. What an in-memory
        layer still carries is waited for; what is inside a Redis is not in sight. Raises what the application raised,
        TimeoutError when something goes on.
        """
        await self.connect()
        if not await self._until(lambda: self._has_ended, timeout, self._is_idle):
            if not self._probed:
                raise RuntimeError(
                    "idle() asks the consumer, and no chanx consumer has been reached by this connection."
                )
            raise TimeoutError(
                f"The connection was not idle within {timeout} s: something of it still runs or waits."
            )
        self._raise_failure()

    async def _until(
        self, found: Callable[[], bool], timeout: float | None, quiet: Callable[[], bool]
    ) -> bool:
        """Wait for what is to be found, for the end of the application, or until it is quiet."""
        return await until(lambda: found() or self._has_ended, timeout, quiet=quiet)

    async def _until_silent(self, found: Callable[[], bool], timeout: float) -> bool:
        """Wait for what is to be found, for the end of the application, or until nothing can come any more."""
        return await until_silent(lambda: found() or self._has_ended, timeout, quiet=self._all_idle)

    @property
    def _has_ended(self) -> bool:
        return self._task is None or self._task.done()

    def _is_idle(self) -> bool:
        if self._has_ended:
            return True
        probed = self._probed
        return (
            bool(probed)
            and self.input_queue.empty()
            and all(connection.is_idle for connection in probed)
        )

    def _all_idle(self) -> bool:
        """Tell whether this connection and every other one in the process has nothing to do."""
        loop = asyncio.get_running_loop()
        return (
            self._is_idle()
            and all(other._is_idle() for other in self._running if other._loop is loop)
            and all(connection.is_idle for connection in probed_connections())
        )

    def _raise_failure(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()

    # ASGI events

    async def send_input(self, message: ASGIEvent) -> None:
        """Give the application an ASGI event; the first one starts it."""
        if self._task is None:
            self._start()
        else:
            self._raise_failure()
        self.input_queue.put_nowait(message)

    async def receive_output(self, timeout: float | None = 1) -> ASGIEvent:
        """Return the next ASGI event of the application; its end without one is an error."""
        event = self.output_queue.take() or await self._next(_anything, timeout)
        if event is None:
            raise AssertionError("Expected an event, but the application has ended.")
        return event

    async def _next(
        self, wanted: Callable[[ASGIEvent], bool], timeout: float | None
    ) -> ASGIEvent | None:
        """Return the first event that is wanted; None when the application has ended without one."""
        try:
            event = await self.output_queue.wait_for(wanted, timeout)
        except TimeoutError:
            raise TimeoutError(f"Nothing came from the application within {timeout} s.") from None
        if event is None:
            self._raise_failure()
        return event

    def _start(self) -> None:
        self._test_probe = self.scope.get(PROBE_KEY)
        self.scope[PROBE_KEY] = self._probe
        self._loop = asyncio.get_running_loop()
        # An empty context: what the test has bound is not seen by the application.
        context = contextvars.Context()
        self._task = self._loop.create_task(self._run(), context=context)
        self._running.add(self)

    def _probe(self, connection: ProbedConnection) -> None:
        self._probed.append(connection)
        if self._test_probe is not None:
            self._test_probe(connection)

    async def _run(self) -> None:
        try:
            await self.application(self.scope, self.input_queue.get, self._take)
        finally:
            self._running.discard(self)
            self.output_queue.end()

    async def _take(self, event: ASGIEvent) -> None:
        if self._left:
            raise ConnectionResetError("The client has left.")
        self.output_queue.put(event)


def text_of(event: ASGIEvent) -> str:
    """Return the text of a frame that the application sent.

    Raises ConnectionClosedError for its close, AssertionError for anything else.
    """
    if event["type"] == "websocket.close":
        raise ConnectionClosedError(event.get("code", 1000), event.get("reason") or "")
    text = event.get("text")
    if event["type"] != "websocket.send" or not isinstance(text, str):
        raise AssertionError(f"Expected a text frame, but got {event!r}.")
    return text


def _anything(event: ASGIEvent) -> bool:
    return True


def websocket_scope(
    path: str,
    headers: list[tuple[bytes, bytes]] | None,
    subprotocols: list[str] | None,
    spec_version: int | None,
) -> Scope:
    """Build the ASGI scope of a handshake; `path` may have a query string."""
    url = urlsplit(path)
    scope: Scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "root_path": "",
        "query_string": url.query.encode(),
        "headers": headers or [],
        "subprotocols": subprotocols or [],
        "client": ("127.0.0.1", 0),
        "server": ("testserver", 80),
    }
    if spec_version is not None:
        scope["spec_version"] = spec_version
    return scope
