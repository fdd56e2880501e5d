"""What the subjects have in common, and what an integration hands in."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Literal, cast

import pytest

from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.testing import WebsocketCommunicator, no_leaks
from chanx.testing.socket import Application
from chanx_conformance.consumers import Answering, Basic

__all__ = ["Consumer", "LayerKind", "OnEveryLayer", "Suite", "until"]

Consumer = type[ChanxWebsocketConsumerMixin[Any]]
LayerKind = Literal["memory", "pubsub", "queue"]


# Any: the layers of every library.
class Suite:
    """Tests through the public door; an integration sets the attributes and overrides the methods that raise."""

    base: ClassVar[Consumer]
    """The integration's consumer base class."""
    communicator: ClassVar[type[WebsocketCommunicator]]
    """The integration's communicator."""
    layer_setting: ClassVar[str]
    """How errors name the place where the layer `default` is set."""

    def make_layer(self, kind: LayerKind, url: str = "") -> Any:
        """Make a channel layer of the integration's library; `url` is that of a Redis server."""
        raise NotImplementedError

    def registered(self, layer: Any) -> AbstractContextManager[None]:
        """Register a layer under the alias `default`."""
        raise NotImplementedError

    def unregistered(self) -> AbstractContextManager[None]:
        """Take every registered layer away."""
        raise NotImplementedError

    @pytest.fixture
    def layer(self) -> Generator[Any]:
        """Register a layer in memory for one test."""
        layer = self.make_layer("memory")
        with self.registered(layer):
            yield layer

    @pytest.fixture(autouse=True)
    async def nothing_left(self, layer: Any) -> AsyncGenerator[None]:
        """Check after every test that no task, connection or group member is left."""
        async with no_leaks(layer):
            yield

    @pytest.fixture(autouse=True)
    def fresh(self) -> None:
        """Give the handlers a closed gate, and an empty record."""
        Answering.gate = asyncio.Event()
        Answering.entered = asyncio.Event()
        Answering.handled = []

    def make(self, handlers: Consumer, **options: Any) -> Consumer:
        """Put handlers onto the integration's base class."""
        return cast(Consumer, type(handlers.__name__, (handlers, self.base), options))

    def connect(
        self, handlers: Consumer = Basic, /, headers: Any = None, **options: Any
    ) -> WebsocketCommunicator:
        """Make a connection to a new consumer class with these options."""
        options = {"log_websocket_message": False, **options}
        return self.connect_to(self.make(handlers, **options), headers=headers)

    def connect_to(
        self,
        consumer: Consumer,
        path: str = "/ws",
        headers: Any = None,
        application: Application | None = None,
    ) -> WebsocketCommunicator:
        """Make a connection to a consumer class, which `application` may wrap."""
        served: Any = consumer
        return self.communicator(application or served.as_asgi(), path, headers, consumer=consumer)


class OnEveryLayer(Suite):
    """Tests that run on a layer of each kind."""

    @pytest.fixture(params=["memory", "pubsub", "queue"])
    async def layer(self, request: pytest.FixtureRequest) -> AsyncGenerator[Any]:
        """Register a layer of each kind for one test."""
        url = "" if request.param == "memory" else request.getfixturevalue("valkey_url")
        layer = self.make_layer(request.param, url)
        with self.registered(layer):
            yield layer


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds, for a second at most."""
    async with asyncio.timeout(1):
        while not condition():  # noqa: ASYNC110 - handlers of the test have no event to set
            await asyncio.sleep(0)
