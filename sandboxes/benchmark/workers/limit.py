"""The least that can be done: a bare ASGI loop over pydantic's compiled validator and serializer."""

import asyncio
from typing import Any

from connection import Application, Receive, Send
from driver import Options, main
from frames import ACTIONS
from messages import adapter_of, message_types, models_of_classes
from pydantic import BaseModel

__all__: list[str] = []


async def echo(message: BaseModel) -> BaseModel:
    """Answer with the message itself."""
    return message


async def wait(message: BaseModel) -> BaseModel:
    """Answer never."""
    await asyncio.Event().wait()
    return message


def application(options: Options) -> Application:
    """Make the application."""
    validate = adapter_of(message_types(BaseModel)).validator.validate_json
    handlers = dict.fromkeys(ACTIONS, echo)
    if options.waiting:
        handlers[ACTIONS[0]] = wait

    async def loop(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            message = validate(event["text"])
            reply = await handlers[message.action](message)
            text = reply.__pydantic_serializer__.to_json(reply).decode()
            await send({"type": "websocket.send", "text": text})

    return loop


if __name__ == "__main__":
    main(application, lambda count: models_of_classes(BaseModel, count))
