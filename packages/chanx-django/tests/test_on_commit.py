"""Broadcasts that wait for a transaction, in the test cases of Django and in ours."""

from functools import partial
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import TestCase

from chanx.channels.testing import WebsocketCommunicator, WebsocketTestCase
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import event_handler, ws_handler
from chanx.messages.base import BaseMessage


class CountMessage(BaseMessage):
    action: Literal["count"] = "count"
    payload: int = 0


class GroupSaved(BaseMessage):
    action: Literal["group_saved"] = "group_saved"
    payload: str


class WatchConsumer(AsyncJsonWebsocketConsumer[GroupSaved]):
    groups = ["groups"]  # noqa: RUF012 - the documented way to write it

    @ws_handler
    async def handle_count(self, message: CountMessage) -> CountMessage:
        return CountMessage(payload=await Group.objects.acount())

    @event_handler
    async def on_saved(self, event: GroupSaved) -> GroupSaved:
        return event


def save(name: str) -> None:
    with transaction.atomic():
        Group.objects.create(name=name)
        event = GroupSaved(payload=name)
        transaction.on_commit(partial(WatchConsumer.broadcast_event_sync, event, "groups"))


async def count(ws: WebsocketCommunicator) -> int:
    answer = await ws.request(CountMessage())
    assert isinstance(answer, CountMessage)
    return answer.payload


class InATransactionTests(TestCase):
    """Nothing is ever committed here, so the test says when."""

    def save_and_commit(self, name: str) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            save(name)

    async def test_sockets_hear_and_see_what_the_test_wrote(self) -> None:
        application: Any = WatchConsumer.as_asgi()
        async with WebsocketCommunicator(application, "/", consumer=WatchConsumer) as ws:
            assert await count(ws) == 0

            await sync_to_async(self.save_and_commit)("readers")

            assert await ws.receive_message() == GroupSaved(payload="readers")
            assert await count(ws) == 1

    async def test_nobody_hears_of_what_is_not_committed(self) -> None:
        application: Any = WatchConsumer.as_asgi()
        async with WebsocketCommunicator(application, "/", consumer=WatchConsumer) as ws:
            await sync_to_async(save)("readers")
            assert await count(ws) == 1
            await ws.assert_nothing()


class WithCommitsTests(WebsocketTestCase):
    """The consumer is the router: there is one route."""

    consumer = WatchConsumer
    router = WatchConsumer.as_asgi()
    ws_path = "/"

    async def test_sockets_hear(self) -> None:
        assert await count(self.auth_communicator) == 0
        await sync_to_async(save)("readers")
        assert await self.auth_communicator.receive_message() == GroupSaved(payload="readers")
