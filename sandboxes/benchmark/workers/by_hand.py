"""A Starlette endpoint with a discriminated union: what one writes without any of these libraries."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from driver import Application, Options, main
from frames import ACTIONS
from messages import adapter_of, message_types
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

__all__: list[str] = []

Handler = Callable[[Any], Awaitable[BaseModel]]


async def echo(message: BaseModel) -> BaseModel:
    """Answer with the message itself."""
    return message


async def wait(message: BaseModel) -> BaseModel:
    """Answer never."""
    await asyncio.Event().wait()
    return message


def application(options: Options) -> Application:
    """Make the application."""
    return room() if options.room else echoes(options)


def echoes(options: Options) -> Application:
    """Make an application that sends everything back."""
    adapter = adapter_of(message_types(BaseModel))
    handlers: dict[str, Handler] = dict.fromkeys(ACTIONS, echo)
    if options.waiting:
        handlers[ACTIONS[0]] = wait

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await answer(websocket, adapter, handlers)
        except WebSocketDisconnect:
            return

    return Starlette(routes=[WebSocketRoute("/", endpoint)])


async def answer(
    websocket: WebSocket, adapter: TypeAdapter[Any], handlers: dict[str, Handler]
) -> None:
    """Take one message and answer it."""
    text = await websocket.receive_text()
    try:
        message = adapter.validate_json(text)
    except ValidationError as error:
        await websocket.send_json({"action": "error", "payload": error.errors(include_url=False)})
        return
    reply = await handlers[message.action](message)
    await websocket.send_text(reply.model_dump_json())


def room() -> Application:
    """Make an application with a set of sockets that are told what one of them receives."""
    members: set[WebSocket] = set()
    adapter = adapter_of(message_types(BaseModel))

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        members.add(websocket)
        try:
            while True:
                message = adapter.validate_json(await websocket.receive_text())
                await TELL[message.action]([*members], message)
        except WebSocketDisconnect:
            return
        finally:
            members.discard(websocket)

    return Starlette(routes=[WebSocketRoute("/", endpoint)])


async def tell(members: list[WebSocket], message: BaseModel) -> None:
    """Send one text to all."""
    text = message.model_dump_json()
    for member in members:
        await member.send_text(text)


async def handle(members: list[WebSocket], message: BaseModel) -> None:
    """Let a handler answer for each."""
    for member in members:
        reply = await echo(message)
        await member.send_text(reply.model_dump_json())


TELL = {ACTIONS[0]: tell, ACTIONS[1]: handle}


if __name__ == "__main__":
    main(application)
