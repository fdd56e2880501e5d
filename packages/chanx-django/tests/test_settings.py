"""The setting CHANX."""

import logging
from typing import Any, Literal

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from pydantic import BaseModel

from chanx.channels.settings import DEFAULTS, chanx_settings
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.core.limits import Limits
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator


class NamePayload(BaseModel):
    user_name: str = "ada"


class UserNameMessage(BaseMessage):
    action: Literal["user_name"] = "user_name"
    payload: NamePayload = NamePayload()


class TwiceConsumer(AsyncJsonWebsocketConsumer):
    """Says two things at once."""

    @ws_handler(output_type=UserNameMessage)
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        await self.send_message(UserNameMessage())
        await self.send_message(UserNameMessage())
        return PongMessage()


def socket() -> WebsocketCommunicator:
    application: Any = TwiceConsumer.as_asgi()
    return WebsocketCommunicator(application, "/", consumer=TwiceConsumer)


async def answers(count: int = 3) -> list[dict[str, Any]]:
    async with socket() as ws:
        await ws.send_message(PingMessage())
        return [await ws.receive_json_from() for _ in range(count)]


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    assert getattr(chanx_settings, name) == DEFAULTS[name]


def test_a_name_that_is_none() -> None:
    with pytest.raises(
        AttributeError, match=r"no CHANX setting 'CAMELISE'. Did you mean 'CAMELIZE'"
    ):
        _ = chanx_settings.CAMELISE  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType] # the point of it


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"CAMELISE": True}, "There is no CHANX setting 'CAMELISE'. Did you mean 'CAMELIZE'?"),
        ({"camelize": True}, "There is no CHANX setting 'camelize'. Did you mean 'CAMELIZE'?"),
        ({"XYZ": 1}, "There is no CHANX setting 'XYZ'. There are MESSAGE_ACTION_KEY, SEND_"),
        ({"CAMELIZE": "yes"}, "CHANX['CAMELIZE'] is 'yes'. Input should be a valid boolean, like False."),
        ({"LOG_IGNORED_ACTIONS": "ping"}, "CHANX['LOG_IGNORED_ACTIONS'] is 'ping'. Input should be a valid list, like"),
        ({"ASYNCAPI_ACCESS": 5}, "CHANX['ASYNCAPI_ACCESS'] is 5."),
        ({"LIMITS": {"max_pending": 1}}, "CHANX['LIMITS'] is {'max_pending': 1}."),
        ("CAMELIZE", "The setting CHANX must be a dictionary, not 'CAMELIZE'."),
    ],
)  # fmt: skip
def test_a_dictionary_that_is_wrong(given: Any, said: str) -> None:
    """Every setting says so, whichever is asked for, until it is right."""
    for _ in range(2):
        with override_settings(CHANX=given), pytest.raises(ImproperlyConfigured) as raised:
            _ = chanx_settings.SEND_COMPLETION
        assert str(raised.value).startswith(said)
    assert chanx_settings.SEND_COMPLETION is False


def test_settings_of_the_single_package_are_ignored() -> None:
    given = {"SEND_COMPLETION": True, "ASYNCAPI_DOCS_JS_URL": "https://cdn.example/x.js"}
    with override_settings(CHANX=given):
        assert chanx_settings.SEND_COMPLETION is True


def test_every_fault_is_named() -> None:
    wrong = {"SEND_COMPLETION": 1, "CAMELISE": True}
    with override_settings(CHANX=wrong), pytest.raises(ImproperlyConfigured) as raised:
        _ = chanx_settings.CAMELIZE
    assert "'SEND_COMPLETION'" in str(raised.value)
    assert "'CAMELISE'" in str(raised.value)


@pytest.mark.parametrize("given", [None, {}, {"CAMELIZE": True}])
def test_a_dictionary_is_looked_through_once(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections look at a dozen settings each; a change counts all the same."""
    seen: list[object] = []

    def faults(given: object) -> list[str]:
        seen.append(given)
        return []

    monkeypatch.setattr("chanx.channels.settings.settings_faults", faults)
    with override_settings(CHANX=given):
        for name in DEFAULTS:
            getattr(chanx_settings, name)
    assert len(seen) <= 1
    with override_settings(CHANX={"MESSAGE_ACTION_KEY": "kind"}):
        assert chanx_settings.MESSAGE_ACTION_KEY == "kind"


async def test_each_setting_counts_from_the_next_connection_on() -> None:
    with override_settings(CHANX={"SEND_COMPLETION": True}):
        assert [frame["action"] for frame in await answers(4)][-1] == "complete"
    with override_settings(CHANX={"CAMELIZE": True}):
        assert (await answers())[0] == {"action": "user_name", "payload": {"userName": "ada"}}
    assert (await answers())[0] == {"action": "user_name", "payload": {"user_name": "ada"}}
    with override_settings(CHANX={"MESSAGE_ACTION_KEY": "type"}):
        assert [frame["type"] for frame in await answers()] == ["user_name", "user_name", "pong"]


@pytest.mark.parametrize("immediately", [True, False])
async def test_messages_may_leave_together(immediately: bool) -> None:
    """Until the handler has ended, nothing is sent."""
    sent_before_the_end: list[bool] = []

    class Holding(TwiceConsumer):
        @ws_handler(output_type=UserNameMessage)
        async def handle_ping(self, message: PingMessage) -> PongMessage:
            await self.send_message(UserNameMessage())
            sent_before_the_end.append(not ws.output_queue.empty())
            return PongMessage()

    application: Any = Holding.as_asgi()
    with override_settings(CHANX={"SEND_MESSAGE_IMMEDIATELY": immediately}):
        async with WebsocketCommunicator(application, "/", consumer=Holding) as ws:
            await ws.send_message(PingMessage())
            frames = [await ws.receive_json_from() for _ in range(2)]

    assert [frame["action"] for frame in frames] == ["user_name", "pong"]
    assert sent_before_the_end == [immediately]


@pytest.mark.parametrize(
    ("given", "received", "sent"),
    [
        ({}, 0, 2),  # pings and pongs are not logged by default
        ({"LOG_IGNORED_ACTIONS": []}, 1, 3),
        ({"LOG_IGNORED_ACTIONS": ("user_name",)}, 1, 1),
        ({"LOG_WEBSOCKET_MESSAGE": False}, 0, 0),
    ],
)
async def test_what_is_logged(
    given: dict[str, Any], received: int, sent: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with override_settings(CHANX=given):
        await answers()

    logged = caplog.text
    assert logged.count("Websocket received") == received
    assert logged.count("Websocket sent") == sent


async def test_limits_of_the_project() -> None:
    """`LIMITS` bounds every consumer that sets nothing else, from the next connection on."""
    too_long = '{"action": "ping", "padding": "0123456789"}'
    async with socket() as ws:
        await ws.send_to(too_long)
        assert (await ws.receive_json_from())["action"] == "user_name"
    with override_settings(CHANX={"LIMITS": Limits(max_message_bytes=20)}):
        async with socket() as ws:
            await ws.send_to(too_long)
            await ws.assert_closed(1009)
