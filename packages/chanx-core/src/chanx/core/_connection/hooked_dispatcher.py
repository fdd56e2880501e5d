"""Taking one client frame through the hooks that a class overrides."""

import asyncio
from typing import Any

from chanx.core._connection.dispatcher import FrameDispatcher, text_of
from chanx.core._connection.handler_runner import HandlerRunner
from chanx.core._connection.outlet import Outlet
from chanx.core._ports import OwnConnection, ServedConsumer
from chanx.core._wire.error_frames import InvalidFrameError
from chanx.type_defs import ASGIEvent

__all__ = ["HookedDispatcher"]


class HookedDispatcher(FrameDispatcher):
    """Enters the documented way at the first hook that the class overrides; `hook` is its name.

    An exchange begins when a reference is found, and lasts until the last hook has returned.
    """

    __slots__ = ("_consumer", "_handling", "_hook")

    def __init__(
        self,
        consumer: ServedConsumer,
        connection: OwnConnection,
        outlet: Outlet,
        runner: HandlerRunner,
        hook: str,
    ) -> None:
        super().__init__(consumer, connection, outlet, runner)
        self._consumer = consumer
        self._hook = hook
        self._handling: set[asyncio.Task[Any] | None] = set()

    async def handle(self, event: ASGIEvent) -> None:
        """Handle one `websocket.receive` event. Raises only what ends the connection or the process."""
        task = asyncio.current_task()
        self._handling.add(task)
        try:
            if self._before is not None:
                await self._before()
            if self._hold:
                self.exchanges.begin(None, hold=True)
            await self._enter(event)
        except BaseException as error:
            await self._contain(error)
        finally:
            self._handling.discard(task)
            if self.exchanges:
                await self._end_exchange()

    async def _enter(self, event: ASGIEvent) -> None:
        consumer = self._consumer
        try:
            match self._hook:
                case "websocket_receive":
                    await consumer.websocket_receive(event)
                case "receive":
                    text = event.get("text")
                    binary = event.get("bytes") if text is None else None
                    await consumer.receive(text_data=text, bytes_data=binary)
                case "decode_json":
                    await consumer.receive(text_data=event.get("text") or text_of(event))
                case "receive_json":
                    content = self.codec.parse(event.get("text") or text_of(event))
                    await consumer.receive_json(content)
                case _:
                    await self.handle_object(self.codec.parse(event.get("text") or text_of(event)))
        except InvalidFrameError as error:
            await self.reject(error)

    def _refer_to(self, ref: str | None) -> None:
        # A task of the user's may call the hooks too; nothing would end its exchange.
        begins = ref is not None and asyncio.current_task() in self._handling
        if begins and self.exchanges.current() is None:
            self.exchanges.begin(ref, hold=self._hold)
        else:
            super()._refer_to(ref)
