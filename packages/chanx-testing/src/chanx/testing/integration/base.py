"""What the parts of the suite have in common."""

import asyncio
from typing import Any

import pytest

from chanx.testing.communicator import WebsocketCommunicator
from chanx.testing.integration.consumers import Basic
from chanx.testing.suite import Consumer, Suite
from chanx.type_defs import JSONObject

__all__ = ["COMPLETE", "PONG", "Consumer", "IntegrationTests", "until"]

PONG: JSONObject = {"action": "pong", "payload": None}
COMPLETE: JSONObject = {"action": "complete", "payload": None}


class IntegrationTests(Suite):
    """Tests with the consumers of this package."""

    @pytest.fixture(autouse=True)
    def fresh(self) -> None:
        """Give the handlers a closed gate, and nothing handled yet."""
        Basic.gate = asyncio.Event()
        Basic.handled = []

    def connect(
        self, handlers: Consumer = Basic, /, headers: Any = None, **options: Any
    ) -> WebsocketCommunicator:
        """Make a connection to a consumer with these options."""
        return super().connect(handlers, headers, **options)


async def until(condition: Any) -> None:
    """Let the loop run until the condition holds, for a second at most."""
    async with asyncio.timeout(1):
        while not condition():  # noqa: ASYNC110 - handlers of the test have no event to set
            await asyncio.sleep(0)
