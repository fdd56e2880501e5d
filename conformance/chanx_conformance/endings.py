"""How connections end."""

import asyncio

import pytest

from chanx.core import drain
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx_conformance.consumers import Basic, Denies
from chanx_conformance.models import WaitMessage
from chanx_conformance.suite import Suite, until

__all__ = ["EndingTests"]


class EndingTests(Suite):
    """How connections end."""

    async def test_handler_may_close(self) -> None:
        """A handler that closes finishes; later messages are not handled."""

        class Closing(Basic):
            @ws_handler
            async def ping(self, message: PingMessage) -> PongMessage:
                """Close and count."""
                await self.close(4000)
                self.handled.append("closed")
                return PongMessage()

        ws = self.connect(Closing)
        await ws.connect()
        for _ in range(3):
            await ws.send_message(PingMessage())
        await ws.assert_closed(4000)
        await ws.wait()
        assert Basic.handled == ["closed"]
        with pytest.raises(AssertionError, match="the application has ended"):
            await ws.receive_output()

    async def test_running_handler_ends_with_the_connection(self) -> None:
        """After the grace a handler that still runs is cancelled; one that can finish does."""
        ws = self.connect(disconnect_grace=0.05)
        await ws.connect()
        await ws.send_message(WaitMessage(payload=1))
        await until(lambda: Basic.handled == [1])
        await ws.disconnect(timeout=1)

        ws = self.connect()
        await ws.connect()
        await ws.send_message(WaitMessage(payload=2))
        await ws.send_message(WaitMessage(payload=3))
        await until(lambda: 2 in Basic.handled)
        leaving = asyncio.ensure_future(ws.disconnect(timeout=2))
        Basic.gate.set()
        await leaving
        assert Basic.handled == [1, 2, 3]

    async def test_hook_learns_the_close_code(self) -> None:
        """`disconnect()` runs once at the end, with the code; its exceptions are contained."""
        codes: list[int] = []

        class Leaving(Basic):
            async def disconnect(self, code: int) -> None:
                """Note and fail."""
                codes.append(code)
                raise ValueError("secret")

        ws = self.connect(Leaving)
        await ws.connect()
        await ws.disconnect(code=1001)
        assert codes == [1001]

    async def test_refused_client_does_not_leave(self) -> None:
        """`disconnect()` belongs to connections that were let in."""
        codes: list[int] = []

        class Leaving(Basic):
            async def disconnect(self, code: int) -> None:
                """Note."""
                codes.append(code)

        ws = self.connect(Leaving, authenticator_class=Denies)
        await ws.connect()
        await ws.receive_json_from()
        await ws.assert_closed(4403)
        await ws.wait()
        ws = self.connect(Leaving, headers=[(b"host", b"a"), (b"origin", b"http://b")])
        await ws.connect()
        await ws.disconnect()
        assert codes == []

    async def test_drain_finishes_and_says_restart(self) -> None:
        """`drain()` lets handlers end, then closes with 1012."""
        ws = self.connect()
        await ws.connect()
        await ws.send_message(WaitMessage(payload=1))
        await until(lambda: Basic.handled == [1])
        draining = asyncio.ensure_future(drain())
        Basic.gate.set()
        assert (await ws.receive_json_from())["action"] == "wait"
        await ws.assert_closed(1012)
        await draining
        await ws.wait()
