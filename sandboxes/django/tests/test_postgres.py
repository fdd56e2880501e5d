"""What only a database server can show. `nox -s postgres` runs all tests on one."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections

from assistant.consumers import AssistantConsumer
from assistant.messages import Ask, AskPayload
from tests.people import Person, admitted

ON_POSTGRES = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("layer"),
    pytest.mark.skipif(not ON_POSTGRES, reason="DATABASE_URL names no PostgreSQL"),
]
ASK = Ask(payload=AskPayload(question="rooms"))
KILL = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = current_database() and pid not in (pg_backend_pid(), %s)"
)


@pytest.fixture
def own_pid() -> int:
    """The process that serves the connection of the tests themselves."""
    with connections["default"].cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (pid,) = cursor.fetchone() or (0,)
        return int(pid)


def kill_the_others(own_pid: int) -> None:
    """End the connections of the application, as a restart of the server would."""
    killer = connections["default"].copy()
    with killer.cursor() as cursor:
        cursor.execute(KILL, [own_pid])
    killer.close()


async def test_a_connection_that_the_server_ended_is_replaced(own_pid: int) -> None:
    """The next message works again: the connection was looked at before it was handled."""
    ada = await sync_to_async(Person.new)("ada")
    async with ada.socket(AssistantConsumer, "/ws/assistant/") as ws:
        await admitted(ws)
        for _ in range(2):
            await ws.send_message(ASK, ref="1")
            while (frame := await ws.receive_json_from(timeout=5))["action"] != "complete":
                assert frame["action"] == "answer_piece"
            await asyncio.to_thread(kill_the_others, own_pid)
    # The last kill left a broken connection in the thread of the ORM, which is the next test's too.
    await sync_to_async(connections.close_all)()
