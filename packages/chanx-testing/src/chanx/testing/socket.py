"""The raw side of a test connection: ASGI events in and out of an application."""

import asyncio
from types import TracebackType
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from asgiref.testing import ApplicationCommunicator
from pydantic_core import from_json
from typing_extensions import Self

from chanx.core import _guard as _guard
from chanx.type_defs import JSONObject, Scope

__all__ = ["ConnectionClosed", "WebsocketConnection"]


class ConnectionClosed(AssertionError):
    """A frame was awaited, and the application closed the connection instead."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"Expected a frame, but the connection was closed with code {code} {reason!r}.")
        self.code = code
        self.reason = reason


class WebsocketConnection(ApplicationCommunicator):  # type: ignore[misc]  # asgiref has no annotations
    """One WebSocket to an ASGI application, without a server between.

    As an async context manager it connects on entering and disconnects on leaving. Times are in seconds. A time-out
    leaves the application alone; what the application raises is raised where the test waits.
    """

    def __init__(
        self,
        application: Any,
        path: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
        spec_version: int | None = None,
    ) -> None:
        super().__init__(application, websocket_scope(path, headers, subprotocols, spec_version))
        self.subprotocol: str | None = None
        self._answer: tuple[bool, int | str | None] | None = None

    async def __aenter__(self) -> Self:
        """Connect; AssertionError says with which code the application refused."""
        connected, code = await self.connect()
        if not connected:
            await self.disconnect()
            raise AssertionError(f"The application refused the connection with code {code}.")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self.disconnect()

    async def connect(self, timeout: float = 1) -> tuple[bool, int | str | None]:
        """Do the handshake, once: (True, subprotocol) or (False, close code)."""
        if self._answer is None:
            await self.send_input({"type": "websocket.connect"})
            event = await self.next_event(timeout)
            if event["type"] not in ("websocket.accept", "websocket.close"):
                raise AssertionError(f"Expected an answer to the handshake, but the application sent {event!r}.")
            accepted = event["type"] == "websocket.accept"
            self._answer = accepted, event.get("subprotocol" if accepted else "code")
        return self._answer

    async def disconnect(self, code: int = 1000, timeout: float = 10) -> None:
        """Leave, and wait until the application has ended; raises what it raised."""
        if self._answer is None:
            return
        await self.input_queue.put({"type": "websocket.disconnect", "code": code, "reason": ""})
        await self.wait(timeout)

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

        Raises ConnectionClosed, or TimeoutError when nothing came.
        """
        await self.connect()
        event = await self.next_event(timeout)
        if event["type"] == "websocket.close":
            raise ConnectionClosed(event.get("code", 1000), event.get("reason") or "")
        return cast(str, event["text"])

    async def receive_json_from(self, timeout: float | None = 1) -> Any:
        """Return the next frame as parsed JSON; ValueError where it is none."""
        return from_json(await self.receive_from(timeout), allow_inf_nan=False)

    async def assert_closed(self, code: int | None = None, timeout: float = 1) -> None:
        """Expect that the next thing the application does is to close, with that code if one is given."""
        event = await self.next_event(timeout)
        if event["type"] != "websocket.close":
            raise AssertionError(f"Expected the connection to be closed, but the application sent {event!r}.")
        if code is not None and event.get("code", 1000) != code:
            raise AssertionError(f"Expected close code {code}, but it was {event.get('code', 1000)}.")

    async def next_event(self, timeout: float | None) -> JSONObject:
        """Return the next ASGI event of the application."""
        if self.output_queue.empty():
            await self._something(timeout)
        return cast(JSONObject, self.output_queue.get_nowait())

    async def _something(self, timeout: float | None) -> None:
        """Wait until an event is there; the application's end without one is an error."""
        getting = asyncio.ensure_future(self.output_queue.get())
        try:
            await asyncio.wait({getting, self.future}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                # Back to the front: whoever takes the event takes it from the queue.
                self.output_queue._queue.appendleft(getting.result())  # noqa: SLF001
                return
        finally:
            getting.cancel()
        if self.future.done():
            self.future.result()
            raise AssertionError("Expected an event, but the application has ended.")
        raise TimeoutError(f"Nothing came from the application within {timeout} s.")


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
