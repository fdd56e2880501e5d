"""A python-socketio server. Its clients speak a protocol of its own, so that it can take part in broadcasts only."""
# python-socketio is in no environment of the checkout, so type checkers cannot see it.
# mypy: disable-error-code="import-not-found,untyped-decorator"
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUntypedFunctionDecorator=false, reportUnknownArgumentType=false

import json
from typing import Any

from connection import Application, Event, Receive, Send
from driver import Options, main
from frames import ACTIONS
from socketio import ASGIApp, AsyncRedisManager, AsyncServer

__all__: list[str] = []

WITHOUT_PING = 3_600  # seconds


def application(options: Options) -> Application:
    """Make the application."""
    manager = AsyncRedisManager(options.redis) if options.redis else None
    server = AsyncServer(async_mode="asgi", client_manager=manager, ping_interval=WITHOUT_PING)

    @server.event
    async def connect(sid: str, environ: Any) -> None:
        await server.enter_room(sid, "room")

    async def tell(sid: str, content: Any) -> None:
        await server.emit("told", content, room="room")

    async def handle(sid: str, content: Any) -> None:
        for member, _ in [*server.manager.get_participants("/", "room")]:
            await server.emit("told", content, to=member)

    server.on(ACTIONS[0], tell)
    server.on(ACTIONS[1], handle)
    return by_protocol(ASGIApp(server))


def by_protocol(application: Application) -> Application:
    """Give the application the requests of a client of its protocol for plain frames."""

    async def translated(scope: Event, receive: Receive, send: Send) -> None:
        received = 0

        async def receive_packet() -> Event:
            nonlocal received
            received += 1
            if received == 2:  # after the request to connect
                return {"type": "websocket.receive", "text": "40"}
            event = await receive()
            if event["type"] == "websocket.receive":
                content = json.loads(event["text"])
                packet = f"42{json.dumps([content['action'], content])}"
                return {"type": "websocket.receive", "text": packet}
            return event

        target = {"path": "/socket.io/", "query_string": b"EIO=4&transport=websocket"}
        await application({**scope, **target}, receive_packet, send)

    return translated


if __name__ == "__main__":
    main(application)
