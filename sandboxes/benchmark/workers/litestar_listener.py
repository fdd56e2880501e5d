"""A Litestar listener with its native types, tagged msgspec structs."""
# Litestar and msgspec are in no environment of the checkout, so type checkers cannot see them.
# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUntypedFunctionDecorator=false, reportUntypedBaseClass=false, reportUnknownArgumentType=false

import asyncio
from typing import Any, Union

import msgspec
from driver import Application, Options, main
from frames import ACTIONS
from litestar import Litestar
from litestar.handlers import websocket_listener

__all__: list[str] = []


class Payload(msgspec.Struct):
    """What a chat message may carry."""

    user_name: str
    room_id: int
    message_text: str
    tag_names: list[str]
    is_urgent: bool = False


def message_type(action: str) -> Any:
    """Make one message type."""
    return msgspec.defstruct(
        action.title().replace("_", ""),
        [("payload", Payload)],
        tag_field="action",
        tag=action,
    )


TYPES = [message_type(action) for action in ACTIONS]
MESSAGE: Any = Union[tuple(TYPES)]  # noqa: UP007 - made from a list


def application(options: Options) -> Application:
    """Make the application."""

    async def echo(data: Any) -> Any:
        if options.waiting and type(data) is TYPES[0]:
            await asyncio.Event().wait()
        return data

    echo.__annotations__ = {"data": MESSAGE, "return": MESSAGE}
    made: Application = Litestar([websocket_listener("/")(echo)], openapi_config=None)
    return made


if __name__ == "__main__":
    main(application)
