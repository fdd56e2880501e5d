"""The test connection and the test case of this integration."""

import sys
import time
import unittest
from collections.abc import Iterator
from types import ModuleType
from typing import Any, ClassVar, Literal

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.auth.models import User
from django.test import TransactionTestCase, override_settings
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import IsAuthenticated

from chanx.channels.authenticator import DjangoAuthenticator
from chanx.channels.routing import path
from chanx.channels.settings import chanx_settings
from chanx.channels.testing import (
    DjangoWebsocketCommunicator,
    WebsocketCommunicator,
    WebsocketTestCase,
    override_chanx_settings,
    use_channel_layer,
)
from chanx.channels.utils.settings import settings_context
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core import open_connections
from chanx.core.decorators import ws_handler
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicatorMixin
from chanx.testing.leaks import no_leaks

pytestmark = pytest.mark.django_db(transaction=True)


class SayMessage(BaseMessage):
    action: Literal["say"] = "say"
    payload: str
    user_name: str = ""


class ByToken(DjangoAuthenticator):
    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)


class ChatConsumer(AsyncJsonWebsocketConsumer):
    groups = ["chat"]  # noqa: RUF012 - the documented way to write it
    authenticator_class = ByToken
    entered: ClassVar[list[str]] = []

    async def post_authentication(self) -> None:
        self.entered.append(self.scope["user"].username)

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

    @ws_handler(output_type=SayMessage)
    async def handle_say(self, message: SayMessage) -> None:
        said = SayMessage(payload=message.payload, user_name=self.scope["user"].username)
        await self.broadcast_message(said)


class OpenConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


application = URLRouter(
    [path("ws/chat/", ChatConsumer.as_asgi()), path("ws/open/", OpenConsumer.as_asgi())]
)
project = ModuleType("project_of_the_testing_tests")
setattr(project, "application", ProtocolTypeRouter({"websocket": application}))  # noqa: B010


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, project.__name__, project)
    monkeypatch.setattr(ChatConsumer, "entered", [])
    with use_channel_layer(InMemoryChannelLayer()):
        yield


async def token_of(name: str) -> list[tuple[bytes, bytes]]:
    return await sync_to_async(token_header)(name)


def token_header(name: str) -> list[tuple[bytes, bytes]]:
    token = Token.objects.create(user=User.objects.create(username=name))
    return [(b"authorization", f"Token {token}".encode())]


def connect(
    headers: list[tuple[bytes, bytes]] | None = None, where: str = "/ws/chat/"
) -> DjangoWebsocketCommunicator:
    consumer = ChatConsumer if where == "/ws/chat/" else OpenConsumer
    return DjangoWebsocketCommunicator(application, where, headers, consumer=consumer)


# The communicator


async def test_the_authentication_message_is_returned() -> None:
    async with no_leaks(get_channel_layer()), connect(await token_of("ada")) as ws:
        message = await ws.wait_for_auth()

        assert message is not None
        assert message.payload.status_code == 200
        assert ChatConsumer.entered == ["ada"]
        await ws.assert_nothing()


async def test_an_authenticated_user_is_fine() -> None:
    async with connect(await token_of("ada")) as ws:
        await ws.assert_authenticated_status_ok()
        assert await ws.request(PingMessage()) == PongMessage()


async def test_anybody_else_is_not() -> None:
    ws = connect()

    assert (await ws.connect())[0] is True
    with pytest.raises(AssertionError, match=r"Expected .* status 200, but got .*status_code=401"):
        await ws.assert_authenticated_status_ok()
    await ws.assert_closed()
    await ws.disconnect()


async def test_the_setting_says_whether_a_message_comes() -> None:
    with override_settings(CHANX={"SEND_AUTHENTICATION_MESSAGE": False}):
        async with connect(await token_of("ada")) as ws:
            began = time.perf_counter()

            assert await ws.wait_for_auth(max_auth_time=10) is None
            assert time.perf_counter() - began < 2
            assert ChatConsumer.entered == ["ada"]
            with pytest.raises(TimeoutError, match="Expected AuthenticationMessage within"):
                await ws.wait_for_auth(send_authentication_message=True, max_auth_time=0.02)


async def test_times_are_limits() -> None:
    async with connect(await token_of("ada")) as ws:
        began = time.perf_counter()
        await ws.wait_for_auth(max_auth_time=10, after_auth_time=10)
        assert time.perf_counter() - began < 2


async def test_nobody_asks_for_authentication_on_an_open_consumer() -> None:
    async with connect(where="/ws/open/") as ws:
        with pytest.raises(TimeoutError):
            await ws.assert_authenticated_status_ok(max_auth_time=0.02)
        assert await ws.wait_for_auth(send_authentication_message=False) is None


async def test_camel_case_follows_the_settings() -> None:
    with override_settings(CHANX={"CAMELIZE": True}):
        async with connect(await token_of("ada")) as ws:
            await ws.assert_authenticated_status_ok()
            await ws.send_message(SayMessage(payload="hi"))
            said = await ws.expect(SayMessage)
            await ws.send_message(SayMessage(payload="hi"))

            assert said.user_name == "ada"
            assert (await ws.receive_json_from())["userName"] == "ada"


def test_one_inherits_from_the_other() -> None:
    assert issubclass(DjangoWebsocketCommunicator, WebsocketCommunicator)


# The test case


class TestWebsocketTestCase(WebsocketTestCase):
    consumer = ChatConsumer
    router = application
    ws_path = "/ws/chat/"

    def get_ws_headers(self) -> list[tuple[bytes, bytes]]:
        return token_header("ada")

    def get_subprotocols(self) -> list[str]:
        return ["chat"]

    def test_it_is_django_s(self) -> None:
        assert isinstance(self, TransactionTestCase)
        assert self.ws_headers[0][0] == b"authorization"
        assert self.subprotocols == ["chat"]

    async def test_one_user(self) -> None:
        await self.auth_communicator.assert_authenticated_status_ok()

        assert await self.auth_communicator.request(PingMessage()) == PongMessage()
        assert self.auth_communicator.scope["subprotocols"] == ["chat"]

    async def test_several_users(self) -> None:
        grace = self.create_communicator(headers=await token_of("grace"), subprotocols=[])
        await self.auth_communicator.assert_authenticated_status_ok()
        await grace.assert_authenticated_status_ok()

        await grace.send_message(SayMessage(payload="hi"))

        assert (await self.auth_communicator.expect(SayMessage)).user_name == "grace"
        assert (await grace.expect(SayMessage)).user_name == "grace"
        assert grace.scope["subprotocols"] == []

    async def test_the_first_connection_is_that_of_the_user(self) -> None:
        nobody = self.create_communicator(headers=[])
        first = self.create_communicator()

        assert self.auth_communicator is first
        assert self.create_communicator() is not first
        assert nobody is not first

    async def test_another_place(self) -> None:
        other = self.create_communicator(
            router=URLRouter([path("elsewhere/", ChatConsumer.as_asgi())]), ws_path="/elsewhere/"
        )

        await other.assert_authenticated_status_ok()


def test_one_test_can_be_named() -> None:
    """As `manage.py test chat.tests.ChatTests.test_it` does."""
    loaded = unittest.defaultTestLoader.loadTestsFromName(
        f"{__name__}.{TestWebsocketTestCase.__name__}.test_one_user"
    )
    assert [type(case) for case in loaded] == [TestWebsocketTestCase]


def run(test: str, base: type[WebsocketTestCase] = TestWebsocketTestCase, **names: Any) -> Any:
    """Run one test of a test case as Django does; return the result."""
    case = type(base.__name__, (base,), names)(test)
    result = case.defaultTestResult()
    case(result)
    return result


def test_connections_end_with_the_test() -> None:
    seen: list[DjangoWebsocketCommunicator] = []

    async def test_it(self: WebsocketTestCase) -> None:
        seen.append(self.auth_communicator)
        await self.auth_communicator.assert_authenticated_status_ok()
        raise ValueError("of the test")

    result = run("test_it", test_it=test_it)

    assert [text.splitlines()[-1] for _, text in result.errors] == ["ValueError: of the test"]
    assert seen[0].output_queue.ended
    assert open_connections() == 0


def test_the_project_is_found() -> None:
    async def test_it(self: WebsocketTestCase) -> None:
        await self.auth_communicator.assert_authenticated_status_ok()

    with override_settings(ASGI_APPLICATION=f"{project.__name__}.application"):
        result = run("test_it", test_it=test_it, router=None)

    assert result.wasSuccessful(), result.errors
    assert result.testsRun == 1


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"ws_path": ""}, r"AttributeError: ws_path is not set in TestWebsocketTestCase"),
        ({"router": None}, r"ValueError: There is no application to connect to: set ASGI_APPL"),
    ],
)
def test_what_is_missing_is_named(names: dict[str, Any], message: str) -> None:
    def test_it(self: WebsocketTestCase) -> None:
        self.create_communicator()

    result = run("test_it", test_it=test_it, **names)

    assert message in result.errors[0][1]


def test_a_consumer_is_needed() -> None:
    def test_it(self: WebsocketTestCase) -> None:
        self.create_communicator()

    result = run("test_it", WebsocketTestCase, test_it=test_it, ws_path="/", router=application)

    assert "AttributeError: consumer is not set in WebsocketTestCase" in result.errors[0][1]


# Settings


@override_settings(CHANX={"SEND_COMPLETION": True})
async def test_settings_are_overridden_for_a_while() -> None:
    """One by one, by a decorator of functions and of classes, and in a `with` block."""

    def seen() -> tuple[bool, bool]:
        return chanx_settings.SEND_COMPLETION, chanx_settings.CAMELIZE

    @override_chanx_settings(CAMELIZE=True)
    async def asynchronous() -> tuple[bool, bool]:
        with settings_context(SEND_COMPLETION=False):
            assert seen() == (False, True)
        return seen()

    @override_chanx_settings(CAMELIZE=True)
    def plain() -> tuple[bool, bool]:
        return seen()

    assert await asynchronous() == plain() == (True, True)
    assert seen() == (True, False)


@override_chanx_settings(SEND_AUTHENTICATION_MESSAGE=False)
class TestOverriddenSettings(WebsocketTestCase):
    consumer = ChatConsumer
    router = application
    ws_path = "/ws/chat/"

    def get_ws_headers(self) -> list[tuple[bytes, bytes]]:
        return token_header("ada")

    async def test_no_message_comes(self) -> None:
        assert await self.auth_communicator.wait_for_auth(max_auth_time=10) is None


# The communicator of the framework


async def test_the_mixin_goes_before_the_communicator_of_channels() -> None:
    pytest.importorskip("daphne")  # which Channels' own test kit imports
    from channels.testing import WebsocketCommunicator as ChannelsCommunicator

    # Annotated differently, the same at run time.
    class Combined(  # type: ignore[misc] # pyright: ignore[reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]
        WebsocketCommunicatorMixin, ChannelsCommunicator
    ):
        """Both."""

    async with Combined(application, "/ws/open/", consumer=OpenConsumer) as ws:
        assert isinstance(ws, ChannelsCommunicator)
        await ws.send_json_to({"action": "ping"})
        assert await ws.receive_json_from() == {"action": "pong", "payload": None}
        assert await ws.request(PingMessage()) == PongMessage()
        assert await ws.receive_nothing()


# Layers


def test_a_layer_is_used_for_a_while() -> None:
    before, layer = channel_layers.backends["default"], InMemoryChannelLayer()

    with use_channel_layer(layer), use_channel_layer(layer, "other"):
        assert get_channel_layer() is layer
        assert get_channel_layer("other") is layer

    assert channel_layers.backends["default"] is before
    assert "other" not in channel_layers.backends
