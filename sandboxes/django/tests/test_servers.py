"""The project under real servers, with real clients."""

import json
import signal
import sys
from http import HTTPStatus

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.support import (
    FASTAPI_SANDBOX,
    MANAGE,
    READY,
    Program,
    Served,
    finished,
    free_port,
    join,
    receive_chat,
    serving,
    taken_port,
)

SAYING_HELLO = json.dumps({"action": "room_chat", "payload": {"message": "hello"}})


async def chat(ada_at: Served, bob_at: Served) -> None:
    """Let two participants say hello."""
    room = "/ws/room/lobby/?name="
    async with (
        connect(f"{ada_at.ws}{room}ada", proxy=None) as ada,
        connect(f"{bob_at.ws}{room}bob", proxy=None) as bob,
    ):
        await join(ada)
        await join(bob)
        await ada.send(SAYING_HELLO)

        heard = await receive_chat(bob)

        assert heard["payload"]["message"] == "hello"
        assert heard["payload"]["sender"] == "ada"
        assert heard["is_current"] is False


async def test_two_clients_chat(served: Served) -> None:
    """Through real sockets."""
    await chat(served, served)


async def test_two_processes_chat(redis_url: str) -> None:
    """Through Redis, each under another server."""
    environment = {"REDIS_URL": redis_url}
    async with serving("daphne", environment) as one, serving("uvicorn", environment) as other:
        await chat(one, other)


async def test_two_terminals(served: Served) -> None:
    """The command-line client of the FastAPI sandbox needs nothing but another path."""
    client = (sys.executable, "-m", "sandbox_fastapi.client")
    command = (*client, "lobby", "--url", served.ws, "--path", "/ws/room/{room}/")
    async with (
        Program.run(*command, "--name", "ada", cwd=FASTAPI_SANDBOX) as ada,
        Program.run(*command, "--name", "grace", cwd=FASTAPI_SANDBOX) as grace,
    ):
        await ada.prints("You joined lobby")
        await grace.prints("You joined lobby")
        await ada.type("Hello, Grace")

        assert await grace.prints("Hello") == "ada: Hello, Grace"


async def test_pages_of_other_sites_are_refused(served: Served) -> None:
    """A browser's page may connect when it comes from one of the ALLOWED_HOSTS."""
    room = f"{served.ws}/ws/room/lobby/"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(room, origin=Origin("https://example.com"), proxy=None):
            pass

    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN
    async with connect(room, origin=Origin(served.http), proxy=None) as same:
        await join(same)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it(served: Served, number: signal.Signals) -> None:
    """While somebody is connected, and without a traceback."""
    async with connect(f"{served.ws}/ws/room/lobby/", proxy=None) as ada:
        await join(ada)

        code = await served.program.stop(number)

    assert code in (0, -number)
    assert "Traceback" not in "".join(served.program.output)


async def test_runserver_serves_websockets_too() -> None:
    """Django's own development server, by way of daphne."""
    port = free_port()
    command = (*MANAGE, "runserver", "--noreload", f"127.0.0.1:{port}")
    async with Program.run(*command) as program:
        await program.prints(READY["daphne"])
        await chat(Served(program, port), Served(program, port))


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_a_port_in_use(server: str) -> None:
    """One sentence and an exit code."""
    with taken_port() as port:
        run = await finished(*MANAGE, "serve", "--server", server, "--port", str(port))

    assert run.code == 1
    assert run.out == ""
    assert run.err == (
        f"CommandError: Cannot listen on 127.0.0.1:{port} (address already in use); "
        "choose another port with --port.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("REDIS_URL", f"redis://user:secret@127.0.0.1:{free_port()}/0", "which does not answer"),
        ("REDIS_URL", "nonsense", "not the address of a Redis server"),
    ],
    ids=["unreachable", "broken"],
)
async def test_a_redis_that_cannot_be_used(name: str, value: str, said: str) -> None:
    """One sentence that keeps the password to itself."""
    run = await finished(*MANAGE, "serve", "--port", str(free_port()), environment={name: value})

    assert run.code == 1
    assert said in run.err
    assert run.err.count("\n") == 1
    assert "secret" not in run.err


async def test_production_needs_a_secret_key() -> None:
    """Without DEBUG there is no default for it."""
    run = await finished(*MANAGE, "check", environment={"DEBUG": "no"})

    assert run.code == 1
    assert "SECRET_KEY must be set when DEBUG is off." in run.err


async def test_the_checks_pass() -> None:
    """Those of Django and those of chanx."""
    run = await finished(*MANAGE, "check", "--fail-level", "WARNING")

    assert run.code == 0, run.err
