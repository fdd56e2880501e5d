"""The raw side of a test connection: ASGI events in and out of an application."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import unquote, urlsplit

from pydantic_core import from_json

from chanx.core import _guard as _guard
from chanx.type_defs import ASGIEvent, JSONObject, Scope

__all__ = ["ConnectionClosedError", "WebsocketConnection"]

# Any: every framework annotates the three arguments of an ASGI application in its own way.
Application = Callable[[Any, Any, Any], Awaitable[Any]]

# What the output queue ends with.
_ENDED: ASGIEvent = {"type": "chanx.application.ended"}


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

    def __init__(
        self,
        application: Application,
        path: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
        spec_version: int | None = None,
    ) -> None:
        self.application = application
        self.scope = websocket_scope(path, headers, subprotocols, spec_version)
        self.subprotocol: str | None = None
        self.input_queue: asyncio.Queue[ASGIEvent] = asyncio.Queue()
        self.output_queue: asyncio.Queue[ASGIEvent] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._answer: tuple[bool, int | str | None] | None = None
        self._left = False

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

    async def send_to(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Send one frame."""
        await self.connect()
        event: JSONObject = {"type": "websocket.receive"}
        if text_data is not None:
            event["text"] = text_data
        if bytes_data is not None:
            event["bytes"] = bytes_data
        await self.send_input(event)

    async def receive_from(self, timeout: float | None = 1) -> str:
        """Return the next text frame.

        Raises ConnectionClosedError, or TimeoutError when nothing came.
        """
        await self.connect()
        event = await self.receive_output(timeout)
        if event["type"] == "websocket.close":
            raise ConnectionClosedError(event.get("code", 1000), event.get("reason") or "")
        return cast(str, event["text"])

    async def receive_json_from(self, timeout: float | None = 1) -> Any:
        """Return the next frame as parsed JSON; ValueError where it is none."""
        return from_json(await self.receive_from(timeout), allow_inf_nan=False)

    async def assert_closed(self, code: int | None = None, timeout: float = 1) -> None:
        """Expect that the next thing the application does is to close, with that code if given."""
        event = await self.receive_output(timeout)
        if event["type"] != "websocket.close":
            raise AssertionError(f"Expected the connection to be closed, but got {event!r}.")
        if code is not None and event.get("code", 1000) != code:
            raise AssertionError(f"Expected close code {code}, but it was {event.get('code')}.")

    async def send_input(self, event: ASGIEvent) -> None:
        """Give the application an ASGI event; the first one starts it."""
        if self._task is None:
            # An empty context: what the test has bound is not seen by the application.
            context = contextvars.Context()
            self._task = asyncio.get_running_loop().create_task(self._run(), context=context)
        elif self._task.done():
            self._task.result()
        await self.input_queue.put(event)

    async def receive_output(self, timeout: float | None = 1) -> ASGIEvent:
        """Return the next ASGI event of the application; its end without one is an error."""
        try:
            async with asyncio.timeout(timeout):
                event = await self.output_queue.get()
        except TimeoutError:
            raise TimeoutError(f"Nothing came from the application within {timeout} s.") from None
        if event is not _ENDED:
            return event
        self.output_queue.put_nowait(_ENDED)
        if self._task is not None and self._task.done():
            self._task.result()
        raise AssertionError("Expected an event, but the application has ended.")

    async def _run(self) -> None:
        try:
            await self.application(self.scope, self.input_queue.get, self._take)
        finally:
            self.output_queue.put_nowait(_ENDED)

    async def _take(self, event: ASGIEvent) -> None:
        if self._left:
            raise ConnectionResetError("The client has left.")
        self.output_queue.put_nowait(event)


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
