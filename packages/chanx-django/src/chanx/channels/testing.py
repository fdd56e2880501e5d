"""Testing consumers of this integration; needs the extra `testing`, and no daphne."""

import inspect
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from functools import wraps
from types import MethodType
from typing import Any, ClassVar

import channels.db
import django.db
from asgiref.sync import async_to_sync
from channels.layers import channel_layers
from django.test import TransactionTestCase

from chanx.channels._database import close_old_connections
from chanx.channels.utils.asgi import get_websocket_application
from chanx.channels.utils.settings import override_chanx_settings
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.outgoing import AuthenticationMessage

try:
    from chanx.testing import WebsocketCommunicator as _WebsocketCommunicator
except ImportError as _error:
    raise ImportError('Testing needs: pip install "chanx-django[testing]"') from _error

__all__ = [
    "DjangoWebsocketCommunicator",
    "WebsocketCommunicator",
    "WebsocketTestCase",
    "override_chanx_settings",
    "use_channel_layer",
]

_OK = 200


class WebsocketCommunicator(_WebsocketCommunicator):
    """One typed WebSocket to a Django Channels application.

    While the application runs, `database_sync_to_async` leaves the connection of a test's transaction open.
    """

    def __init__(
        self,
        # Any: an ASGI application, which every framework annotates in a way of its own.
        application: Any,
        path: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
        spec_version: int | None = None,
        *,
        consumer: type[ChanxWebsocketConsumerMixin[Any]],
    ) -> None:
        keeping = _keeping_transactions(application)
        super().__init__(keeping, path, headers, subprotocols, spec_version, consumer=consumer)


class DjangoWebsocketCommunicator(WebsocketCommunicator):
    """One typed WebSocket to a Django project, which tells its clients whether they were authenticated."""

    async def wait_for_auth(
        self,
        send_authentication_message: bool | None = None,
        max_auth_time: float = 0.5,
        after_auth_time: float = 0.1,
    ) -> AuthenticationMessage | None:
        """Return the authentication message; None where none is sent, once the connection has been let in.

        Whether one is sent is what the consumer or the setting SEND_AUTHENTICATION_MESSAGE says, unless given. Both
        times are limits, not waits: the second is for what the server does after it has told its decision.
        """
        expected = send_authentication_message
        if expected is None:
            expected = self.consumer.send_authentication_message
        message = (
            await self.expect(AuthenticationMessage, timeout=max_auth_time) if expected else None
        )
        with suppress(TimeoutError):
            await self.idle(after_auth_time if expected else max_auth_time)
        return message

    async def assert_authenticated_status_ok(self, max_auth_time: float = 0.5) -> None:
        """Expect an authentication message with status 200; AssertionError tells what it says instead."""
        message = await self.wait_for_auth(
            send_authentication_message=True, max_auth_time=max_auth_time
        )
        if message is None or message.payload.status_code != _OK:
            raise AssertionError(
                f"Expected to be authenticated with status 200, but got {message!r}."
            )


class WebsocketTestCase(TransactionTestCase):
    """A Django test case with connections to one consumer, which are disconnected at the end of each test.

    Set `consumer` and `ws_path`; override `get_ws_headers()` to authenticate. Test methods are `async def`.
    """

    consumer: ClassVar[type[AsyncJsonWebsocketConsumer[Any]]]
    ws_path: str = ""
    # Any: an ASGI application.
    router: Any = None

    ws_headers: list[tuple[bytes, bytes]]
    subprotocols: list[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take `as_asgi()` for a router too: a function, which must not become a method."""
        super().__init_subclass__(**kwargs)
        if inspect.isfunction(router := vars(cls).get("router")):
            cls.router = staticmethod(router)

    # Any: what unittest takes.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._communicators: list[DjangoWebsocketCommunicator] = []
        self._auth_communicator: DjangoWebsocketCommunicator | None = None

    # Any: a result of unittest, which annotates it in a way of its own.
    def __call__(self, result: Any = None) -> None:
        """Run the test."""
        self._close_after_test()
        super().__call__(result)

    def debug(self) -> None:
        """Run the test without collecting the result."""
        self._close_after_test()
        super().debug()

    def _close_after_test(self) -> None:
        # Only now: loading a test by its name refuses an instance with a function of its own, and parallel runs pickle
        # the instance.
        test = getattr(self, self._testMethodName)
        if inspect.iscoroutinefunction(test):
            # A method: unittest, which looks at an attribute of the instance, takes a function for a static one.
            setattr(self, self._testMethodName, MethodType(self._closing(test), self))

    @staticmethod
    def _closing(
        test: Callable[..., Coroutine[Any, Any, None]],
    ) -> Callable[..., Coroutine[Any, Any, None]]:
        """Disconnect in the event loop of the test: Django runs each in one of its own."""

        @wraps(test)
        async def run(case: WebsocketTestCase, *args: Any, **kwargs: Any) -> None:
            try:
                await test(*args, **kwargs)
            finally:
                await case._disconnect()

        return run

    def setUp(self) -> None:
        """Take headers and subprotocols from their hooks."""
        super().setUp()
        self.ws_headers = self.get_ws_headers()
        self.subprotocols = self.get_subprotocols()

    def tearDown(self) -> None:
        """Disconnect what a test has left connected."""
        if self._communicators:
            async_to_sync(self._disconnect)()
        super().tearDown()

    def get_ws_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers of handshakes, a cookie or a token say. Override."""
        return []

    def get_subprotocols(self) -> list[str]:
        """Return the subprotocols to offer. Override."""
        return []

    @property
    def auth_communicator(self) -> DjangoWebsocketCommunicator:
        """The connection of the user whom `get_ws_headers()` authenticates; connected by its first use.

        The first that `create_communicator()` has made without other `headers`, else a new one.
        """
        if self._auth_communicator is None:
            self._auth_communicator = self.create_communicator()
        return self._auth_communicator

    def create_communicator(
        self,
        *,
        router: Any | None = None,
        ws_path: str | None = None,
        headers: list[tuple[bytes, bytes]] | None = None,
        subprotocols: list[str] | None = None,
    ) -> DjangoWebsocketCommunicator:
        """Return one more connection, for another user say; connected by its first use.

        Arguments left out are the attributes of the test case; without a `router`, ASGI_APPLICATION is used. Raises
        AttributeError without a path, ValueError without an application.
        """
        communicator = DjangoWebsocketCommunicator(
            router or self.router or _project(),
            self._path(ws_path),
            self.ws_headers if headers is None else headers,
            self.subprotocols if subprotocols is None else subprotocols,
            consumer=self._consumer(),
        )
        self._communicators.append(communicator)
        if headers is None and self._auth_communicator is None:
            self._auth_communicator = communicator
        return communicator

    def _path(self, ws_path: str | None) -> str:
        path = ws_path or self.ws_path
        if not path:
            raise AttributeError(
                f"ws_path is not set in {type(self).__name__}: set it, or pass ws_path=..."
            )
        return path

    def _consumer(self) -> type[AsyncJsonWebsocketConsumer[Any]]:
        if not hasattr(self, "consumer"):
            raise AttributeError(
                f"consumer is not set in {type(self).__name__}: set it to the consumer class that ws_path leads to."
            )
        return self.consumer

    async def _disconnect(self) -> None:
        communicators, self._communicators = self._communicators, []
        self._auth_communicator = None
        for communicator in communicators:
            # What an application raised has been raised where the test waited for it, or the test did not care.
            with suppress(Exception):
                await communicator.disconnect()


def _keeping_transactions(application: Any) -> Any:
    @wraps(application, updated=())
    async def run(*args: Any) -> None:
        with _Transactions.kept():
            await application(*args)

    return run


class _Transactions:
    """Replaces the `close_old_connections()` that Channels calls, while the application of any connection runs."""

    running = 0

    @classmethod
    @contextmanager
    def kept(cls) -> Generator[None]:
        cls.running += 1
        cls._let_channels_call(close_old_connections)
        try:
            yield
        finally:
            cls.running -= 1
            if not cls.running:
                cls._let_channels_call(django.db.close_old_connections)

    @staticmethod
    def _let_channels_call(function: Callable[[], None]) -> None:
        # By name: Channels does not export it.
        setattr(channels.db, "close_old_connections", function)  # noqa: B010


def _project() -> Any:
    application = get_websocket_application()
    if application is None:
        raise ValueError(
            "There is no application to connect to: set ASGI_APPLICATION to one that serves WebSockets, or set "
            "`router` of the test case."
        )
    return application


# Any: each library annotates its layers in its own way.
@contextmanager
def use_channel_layer(layer: Any, alias: str = "default") -> Generator[None]:
    """Let Channels find this layer under the alias, until the end of the `with` block."""
    before = channel_layers.set(alias, layer)
    try:
        yield
    finally:
        if before is None:
            del channel_layers.backends[alias]
        else:
            channel_layers.set(alias, before)
