"""Test connections and databases: the two fixtures of pytest-django."""

from typing import Literal

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.contrib.auth.models import User

from chanx.channels.routing import path
from chanx.channels.testing import DjangoWebsocketCommunicator
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.base import BaseMessage
from chanx.testing import FaultyChannelLayer
from chanx.testing.pytest_plugin import WebsocketFactory


class NamesMessage(BaseMessage):
    action: Literal["names"] = "names"
    payload: list[str]


class NamesConsumer(AsyncJsonWebsocketConsumer):
    groups = ["names"]  # noqa: RUF012 - the documented way to write it

    @ws_handler
    async def handle_names(self, message: NamesMessage) -> NamesMessage:
        for name in message.payload:
            await User.objects.acreate(username=name)
        return NamesMessage(payload=[user.username async for user in User.objects.order_by("pk")])


application = URLRouter([path("ws/", NamesConsumer.as_asgi())])
Factory = WebsocketFactory[DjangoWebsocketCommunicator]


@pytest.fixture
def websocket_class() -> type[DjangoWebsocketCommunicator]:
    return DjangoWebsocketCommunicator


@pytest.mark.parametrize("name", ["ada", "grace"])
@pytest.mark.usefixtures("transactional_db", "no_leaks")
async def test_async_tests_take_transactional_db(websocket: Factory, name: str) -> None:
    await User.objects.acreate(username="there")
    ws = websocket(application, "/ws/", consumer=NamesConsumer)

    names = await ws.request(NamesMessage(payload=[name]), NamesMessage)

    assert names.payload == ["there", name]


@pytest.mark.parametrize("name", ["ada", "grace"])
@pytest.mark.usefixtures("db")
def test_sync_tests_may_take_db(name: str) -> None:
    """The handler's queries run in the thread of the test, inside its transaction."""
    User.objects.create(username="there")

    @async_to_sync
    async def ask() -> NamesMessage:
        async with DjangoWebsocketCommunicator(application, "/ws/", consumer=NamesConsumer) as ws:
            return await ws.request(NamesMessage(payload=[name]), NamesMessage)

    assert ask().payload == ["there", name]
    assert User.objects.count() == 2


@pytest.mark.usefixtures("transactional_db")
async def test_the_layer_is_used_by_channels(
    websocket: Factory, channel_layer: FaultyChannelLayer
) -> None:
    ws = websocket(application, "/ws/", consumer=NamesConsumer)
    await ws.idle()

    assert id(get_channel_layer()) == id(channel_layer)
    assert list(channel_layer.groups) == ["names"]
