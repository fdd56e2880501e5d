"""The server's side of a connection, in process: what the drivers of all peers give to an application."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["Application", "Connection", "Event", "Receive", "Send"]

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Connection:
    """The server's side of one connection, without a server."""

    def __init__(self, application: Application) -> None:
        self.accepted = False
        self.replies = 0
        self.last = ""
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._waiter: asyncio.Future[None] | None = None
        self._inbox.put_nowait({"type": "websocket.connect"})
        ending = application(scope(), self._inbox.get, self._send)
        self.task = asyncio.ensure_future(ending)
        self.task.add_done_callback(lambda task: self._wake())

    async def _send(self, event: Event) -> None:
        if event["type"] == "websocket.send":
            self.replies += 1
            self.last = event.get("text") or event["bytes"].decode()
        elif event["type"] == "websocket.accept":
            self.accepted = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def put(self, text: str) -> None:
        """Send one frame to the application."""
        self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    async def changed(self) -> None:
        """Wait until the application has sent something. Raises what it failed with."""
        if self.task.done():
            self.task.result()
            raise RuntimeError("the application ended the connection")
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    async def opened(self) -> None:
        """Wait until the application has accepted, and has done what it does after that."""
        while not self.accepted:
            await self.changed()
        await asyncio.sleep(0)

    async def closed(self) -> None:
        """Disconnect and wait for the application to end."""
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([self.task])


def scope() -> Event:
    """Return what a server tells about a connection."""
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "root_path": "",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-version", b"13"),
            (b"user-agent", b"benchmark"),
        ],
        "subprotocols": [],
        "state": {},
        "extensions": {"websocket.http.response": {}},
    }
