"""What the suites for integrations have in common."""

from collections.abc import AsyncGenerator
from typing import Any, ClassVar, cast

import pytest

from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.testing.communicator import WebsocketCommunicator
from chanx.testing.leaks import no_leaks

__all__ = ["Consumer", "Suite"]

Consumer = type[ChanxWebsocketConsumerMixin[Any]]


class Suite:
    """Tests of one connection, through the public door; subclasses say which integration."""

    base: ClassVar[Consumer]
    """The integration's consumer base class."""

    @pytest.fixture
    def layer(self) -> Any:
        """Register a channel layer under the alias `default`; integrations override this."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    async def nothing_left(self, layer: Any) -> AsyncGenerator[None]:
        """Check after every test that no task, connection or group member is left."""
        async with no_leaks(layer):
            yield

    def make(self, handlers: Consumer, **options: Any) -> Consumer:
        """Put handlers onto the integration's base class."""
        return cast(Consumer, type(handlers.__name__, (handlers, self.base), options))

    def connect(
        self, handlers: Consumer, /, headers: Any = None, **options: Any
    ) -> WebsocketCommunicator:
        """Make a connection to a consumer with these options."""
        consumer = self.make(handlers, **{"log_websocket_message": False, **options})
        application: Any = consumer
        return WebsocketCommunicator(application.as_asgi(), "/ws", headers, consumer=consumer)
