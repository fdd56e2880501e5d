"""Database connections under many messages, in a file that opens and closes them for real."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count as count_from
from pathlib import Path
from typing import Any, Literal

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import QuerySet

from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import event_handler, ws_handler
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks

CLIENTS = 50
MESSAGES_OF_EACH = 20
aliases = count_from(1)


class Opened:
    """A database of one test, and every connection that was opened to it."""

    alias = ""

    def __init__(self) -> None:
        self.count = 0
        self.wrappers: set[BaseDatabaseWrapper] = set()

    def note(self, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        if connection.alias == Opened.alias:
            self.count += 1
            self.wrappers.add(connection)

    @property
    def still_open(self) -> int:
        return sum(wrapper.connection is not None for wrapper in self.wrappers)


def rows() -> QuerySet[ContentType]:
    return ContentType.objects.using(Opened.alias)


class CountMessage(BaseMessage):
    action: Literal["count"] = "count"
    payload: int = 0


class CountSyncMessage(BaseMessage):
    action: Literal["count_sync"] = "count_sync"
    payload: int = 0


class CountEvent(BaseMessage):
    action: Literal["count_event"] = "count_event"
    payload: int = 0


class CountConsumer(AsyncJsonWebsocketConsumer[CountEvent]):
    """Counts rows in every way that Django offers."""

    log_websocket_message = False
    groups = ["counting"]  # noqa: RUF012 - as the base class has it

    @ws_handler
    async def handle_count(self, message: CountMessage) -> CountMessage:
        return CountMessage(payload=await rows().acount())

    @ws_handler
    async def handle_count_sync(self, message: CountSyncMessage) -> CountSyncMessage:
        return CountSyncMessage(payload=await database_sync_to_async(rows().count)())

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

    @event_handler
    async def handle_event(self, event: CountEvent) -> CountMessage:
        return CountMessage(payload=await rows().acount())


class HooksConsumer(AsyncJsonWebsocketConsumer):
    """Looks things up when somebody comes and when they go."""

    async def get_groups(self) -> list[str]:
        return [f"group_{await rows().acount()}"]

    async def disconnect(self, code: int) -> None:
        assert await rows().acount() == 1

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


@pytest.fixture
async def opened(tmp_path: Path, django_db_blocker: Any) -> AsyncIterator[Opened]:
    """A database with one row."""
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "db.sqlite3"}
    # Threads keep what they know under an alias, so that each test has its own.
    alias = Opened.alias = f"file{next(aliases)}"
    configured = connections.configure_settings({"default": {}, alias: settings})
    connections.databases[alias] = configured[alias]
    found = Opened()
    with django_db_blocker.unblock():
        await sync_to_async(fill)()
        connection_created.connect(found.note)
        async with no_leaks(get_channel_layer()):
            yield found
        connection_created.disconnect(found.note)
        await sync_to_async(close)()
    del connections.databases[alias]


def fill() -> None:
    with connections[Opened.alias].schema_editor() as editor:
        editor.create_model(ContentType)
    rows().create(app_label="chat", model="room")
    close()


def close() -> None:
    connections[Opened.alias].close()


def keep_connections(seconds: int | None) -> None:
    connections.databases[Opened.alias]["CONN_MAX_AGE"] = seconds


def socket(
    consumer: type[AsyncJsonWebsocketConsumer[Any]] = CountConsumer,
) -> WebsocketCommunicator:
    application: Any = consumer.as_asgi()
    return WebsocketCommunicator(application, "/", consumer=consumer)


async def answer(ws: WebsocketCommunicator, message: BaseMessage) -> Any:
    await ws.send_message(message)
    return await ws.receive_json_from(timeout=30)


async def count(ws: WebsocketCommunicator, message: BaseMessage) -> None:
    assert (await answer(ws, message))["payload"] == 1


async def talk() -> None:
    async with socket() as ws:
        for _ in range(MESSAGES_OF_EACH // 2):
            await count(ws, CountMessage())
            await count(ws, CountSyncMessage())


async def test_a_thousand_messages_leave_one_connection(opened: Opened) -> None:
    """The ORM runs in one thread, so one connection is what there may be."""
    await asyncio.gather(*[talk() for _ in range(CLIENTS)])

    assert opened.count > 0
    assert opened.still_open <= 1


@pytest.mark.parametrize("message", [CountMessage(), CountSyncMessage()])
async def test_a_connection_past_its_age_is_not_used_again(
    opened: Opened, message: BaseMessage
) -> None:
    """Without CONN_MAX_AGE that is at once, as after a request."""
    async with socket() as ws:
        for _ in range(3):
            await count(ws, message)
        assert opened.count == 3
        await answer(ws, PingMessage())
        assert opened.still_open == 0


async def test_a_connection_that_is_kept_is_used_again(opened: Opened) -> None:
    keep_connections(60)
    async with socket() as ws:
        for _ in range(3):
            await count(ws, CountMessage())
            await count(ws, CountSyncMessage())
        assert opened.count == 1
        assert opened.still_open == 1


async def test_events_are_cared_for_as_messages_are(opened: Opened) -> None:
    async with socket() as ws:
        await count(ws, CountMessage())
        for _ in range(3):
            await CountConsumer.broadcast_event(CountEvent(), "counting")
            assert (await ws.receive_json_from())["payload"] == 1
        assert opened.count == 4
        assert opened.still_open <= 1


async def test_hooks_of_a_connection_are_cared_for_as_messages_are(opened: Opened) -> None:
    """Whoever comes after a quiet night finds no connection that the database has given up."""
    for coming in (1, 2):
        async with socket(HooksConsumer) as ws:
            assert (await answer(ws, PingMessage()))["action"] == "pong"
            assert opened.count == 2 * coming - 1
        assert opened.count == 2 * coming


async def test_messages_without_the_database_do_not_wait_for_it(opened: Opened) -> None:
    """The thread of the ORM is busy, and pings are answered."""
    started, release = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def keep_busy() -> None:
        loop.call_soon_threadsafe(started.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(30)

    async with socket() as ws:
        await answer(ws, PingMessage())
        busy = asyncio.ensure_future(sync_to_async(keep_busy)())
        await started.wait()
        assert (await answer(ws, PingMessage()))["action"] == "pong"
        release.set()
        await busy


async def test_a_failing_clean_up_loses_no_message(
    opened: Opened, django_db_blocker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever forbids the database does not forbid messages."""
    async with socket() as ws:
        await count(ws, CountMessage())
        with django_db_blocker.block():
            assert (await answer(ws, PingMessage()))["action"] == "pong"
    assert "Database connections could not be checked" in caplog.text
