"""Guards, parameters and the probe: what is built on the engine."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chanx.core.decorators import ws_handler
from chanx.core.guards import DeniedError, Guard
from chanx.core.probe import PROBE_KEY, ProbedConnection
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx_conformance.consumers import Basic, Overriding
from chanx_conformance.models import PONG, ChatMessage, ChatPayload, NewsEvent, WaitMessage
from chanx_conformance.suite import Consumer, Suite, until

__all__ = ["ExtensionTests"]


class ExtensionTests(Suite):
    """Guards, parameters and the probe: what is built on the engine."""

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    async def test_guards_are_asked_before_each_message(self, handlers: Consumer) -> None:
        """A guard that denies is told by its code; one that fails keeps the message out as well."""

        class Only(Guard):
            async def check(self, consumer: Any, message: BaseMessage) -> None:
                """Let one name pass."""
                match message.payload.user_name:
                    case "ada":
                        pass
                    case "bob":
                        raise DeniedError("not_a_member", "Only members may speak")
                    case _:
                        raise ValueError("secret")

        class Guarded(handlers):  # type: ignore[misc, valid-type]
            @ws_handler(guards=[Only()])
            async def chat(self, message: ChatMessage) -> ChatMessage:
                """Say it back."""
                Basic.handled.append(message.payload.user_name)
                return message

        async with self.connect(Guarded) as ws:
            for name in ("ada", "bob", "eve"):
                await ws.send_message(ChatMessage(payload=ChatPayload(user_name=name)), ref=name)
            assert (await ws.receive_json_from())["action"] == "chat"
            denied = await ws.receive_json_from()
            assert denied["payload"] == [
                {"type": "not_a_member", "loc": [], "msg": "Only members may speak"}
            ]
            assert (await ws.receive_json_from())["payload"] == {
                "detail": "Failed to process message for chat"
            }
            assert Basic.handled == ["ada"]

    async def test_unknown_guard_and_parameter_are_refused(self) -> None:
        """Both at class creation, naming class and method."""

        async def handler(self: Any, message: PingMessage, session: str) -> None:
            """Ask for what nobody provides."""

        async def fine(self: Any, message: PingMessage, session: str = "") -> None:
            """Ask for nothing that is needed."""

        with pytest.raises(TypeError, match=r"Wrong\.ping\(\) has a parameter 'session'"):
            type("Wrong", (self.base,), {"ping": ws_handler(handler)})
        with pytest.raises(TypeError, match=r"'x' in the guards of Wrong\.ping\(\) is not a Guard"):
            type("Wrong", (self.base,), {"ping": ws_handler(fine, guards=["x"])})
        assert type("Right", (self.base,), {"ping": ws_handler(fine)}).__name__ == "Right"

    async def test_parameters_are_resolved_for_each_message(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An integration's resolver provides values and cleans up after the handler."""
        log: list[str] = []

        def resolver(function: Any, parameters: Any, where: str) -> Any:
            @asynccontextmanager
            async def resolve(consumer: Any, message: Any) -> AsyncGenerator[dict[str, Any]]:
                log.append("open")
                yield {parameter.name: log for parameter in parameters}
                log.append("close")

            return resolve if parameters else None

        monkeypatch.setattr(self.base.spec.integration, "parameter_resolver", resolver)

        class Resolving(Basic):
            @ws_handler
            async def chat(
                self, message: ChatMessage, entries: list[str] | None = None
            ) -> ChatMessage:
                """Write into what was provided."""
                assert entries is log
                log.append(message.payload.user_name)
                return message

        async with self.connect(Resolving) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            await ws.send_message(PingMessage())
            assert (await ws.receive_json_from())["action"] == "chat"
            assert await ws.receive_json_from() == PONG
        assert log == ["open", "ada", "close"]

    async def test_probe_learns_the_connection(self) -> None:
        """What a test puts into the scope is told of the connection, which says whether it is idle."""
        probed: list[ProbedConnection] = []
        ws = self.connect()
        ws.scope[PROBE_KEY] = probed.append
        async with ws:
            await ws.send_message(WaitMessage(payload=1))
            await until(lambda: Basic.handled == [1])
            assert not probed[0].is_idle
            Basic.gate.set()
            await ws.receive_json_from()
            await until(lambda: probed[0].is_idle)
        assert not probed[0].is_idle

    async def test_sync_twins_send_from_threads(self) -> None:
        """The sync twins work from code that runs in threads of the application, repeatedly."""
        async with self.connect() as ws:
            await ws.send_message(PingMessage())
            await ws.receive_json_from()
            for number in range(3):
                event = NewsEvent(payload=str(number))
                await sync_to_async(ws.consumer.broadcast_event_sync)(event, "lobby")
                assert (await ws.receive_json_from())["payload"]["user_name"] == str(number)
