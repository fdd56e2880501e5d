"""How many connections to PostgreSQL messages leave open, by its own count, and what becomes of broken ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any, Literal, cast

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import QuerySet

from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.base import BaseMessage
from chanx.testing import WebsocketCommunicator
from tests.test_postgres import ON_POSTGRES

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not ON_POSTGRES, reason="DATABASE_URL names no PostgreSQL"),
]
CLIENTS = 200
MESSAGES_OF_EACH = 50
# What servers know the connections of the messages by.
NAME = "of-messages"
POOL_SIZE = 4
SETTINGS: dict[str, dict[str, Any]] = {
    "closed": {"CONN_MAX_AGE": 0},
    "kept": {"CONN_MAX_AGE": 60},
    "pooled": {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"min_size": 1, "max_size": POOL_SIZE}}},
}


class CountMessage(BaseMessage):
    """How many people are there, by the async ORM?"""

    action: Literal["count"] = "count"
    payload: int = 0


class CountSyncMessage(BaseMessage):
    """How many people are there, from a thread?"""

    action: Literal["count_sync"] = "count_sync"
    payload: int = 0


def people(alias: str) -> QuerySet[User]:
    """Ask the database of that alias."""
    return User.objects.using(alias)


class CountConsumer(AsyncJsonWebsocketConsumer):
    """Counts people in both ways that Django offers."""

    log_websocket_message = False
    alias = ""

    @ws_handler
    async def handle_count(self, message: CountMessage) -> CountMessage:
        """Count."""
        return CountMessage(payload=await people(self.alias).acount())

    @ws_handler
    async def handle_count_sync(self, message: CountSyncMessage) -> CountSyncMessage:
        """Count in a thread."""
        return CountSyncMessage(payload=await database_sync_to_async(people(self.alias).count)())


@pytest.fixture(params=list(SETTINGS))
async def alias(
    request: pytest.FixtureRequest, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The database of the tests under another alias, with other settings."""
    name: str = request.param
    default = connections["default"].settings_dict
    options = {**SETTINGS[name].get("OPTIONS", {}), "application_name": NAME}
    connections.databases[name] = {**default, **SETTINGS[name], "OPTIONS": options}
    monkeypatch.setattr(CountConsumer, "alias", name)
    with django_db_blocker.unblock():
        yield name
        await sync_to_async(close)(name)
    del connections.databases[name]


def close(alias: str) -> None:
    """Close the connection of this thread, and the pool, if there is one."""
    connection = cast(Any, connections[alias])
    connection.close()
    connection.close_pool()
    del connections[alias]


def on_the_server(query: str) -> int:
    """Ask PostgreSQL about the connections of messages."""
    asking = connections["default"].copy()
    with closing(asking), asking.cursor() as cursor:
        cursor.execute(f"{query} from pg_stat_activity where application_name = %s", [NAME])
        (found,) = cursor.fetchone() or (0,)
        return int(found)


def socket() -> WebsocketCommunicator:
    """Open a socket."""
    return WebsocketCommunicator(cast(Any, CountConsumer.as_asgi()), "/", consumer=CountConsumer)


async def talk() -> None:
    """Ask as often as one client does."""
    async with socket() as ws:
        for message in [CountMessage(), CountSyncMessage()] * (MESSAGES_OF_EACH // 2):
            await ws.send_message(message)
            assert (await ws.receive_json_from(timeout=60))["payload"] == 1


@pytest.mark.timeout(180)
async def test_ten_thousand_messages_leave_at_most_the_pools_own(alias: str) -> None:
    """The ORM runs in one thread, which has one connection; a pool keeps as many as it was told to."""
    await sync_to_async(User.objects.create_user)("ada")

    await asyncio.gather(*[talk() for _ in range(CLIENTS)])

    left = await asyncio.to_thread(on_the_server, "select count(*)")
    assert left <= (POOL_SIZE if alias == "pooled" else 1)


@pytest.mark.parametrize("alias", ["kept"], indirect=True)
async def test_a_kept_connection_that_broke_costs_one_message(alias: str) -> None:
    """Without CONN_HEALTH_CHECKS somebody has to notice; the next message has a new connection."""
    await sync_to_async(User.objects.create_user)("ada")
    connections.databases[alias]["CONN_HEALTH_CHECKS"] = False
    async with socket() as ws:
        await answer(ws)
        await answer(ws)  # the connection is known to be kept
        await asyncio.to_thread(on_the_server, "select count(pg_terminate_backend(pid))")
        await ws.send_message(CountMessage())
        assert (await ws.receive_json_from(timeout=5))["action"] == "error"
        await answer(ws)


async def answer(ws: WebsocketCommunicator) -> None:
    """Count, and be told."""
    await ws.send_message(CountMessage())
    assert (await ws.receive_json_from(timeout=5))["payload"] == 1
