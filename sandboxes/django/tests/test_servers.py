"""The project under real servers, with real clients."""

import asyncio
import json
import signal
import sys
import urllib.request
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.typing import Origin

from tests.support import (
    MANAGE,
    READY,
    Program,
    Served,
    finished,
    free_port,
    serving,
    taken_port,
)
from tests.visitors import Visitor, make_accounts, receive_until

SAYING_HELLO = json.dumps({"action": "say", "payload": {"text": "hello"}})
PING = '{"action": "ping"}'
pytestmark = pytest.mark.timeout(120)


async def chat(ada_at: Served, bob_at: Served) -> None:
    """Let two members of a room talk, over HTTP and over sockets."""
    await make_accounts(ada_at, "ada", "bob")
    ada, bob = await Visitor.log_in(ada_at, "ada"), await Visitor.log_in(bob_at, "bob")
    room = (await ada.post("/api/rooms/", name="lobby"))["id"]
    await ada.post(f"/api/rooms/{room}/members/", username="bob")
    path = f"/ws/rooms/{room}/"
    async with ada.connect(path) as hers, bob.connect(path) as his:
        for ws in (hers, his):
            await ws.send(PING)
            await receive_until(ws, "pong")
        await hers.send(SAYING_HELLO)
        assert (await receive_until(his, "said"))[-1]["payload"]["text"] == "hello"
        assert (await receive_until(hers, "said"))[-1]["payload"]["author"] == "ada"
        await bob.post(f"/api/rooms/{room}/messages/", text="over HTTP")
        assert (await receive_until(hers, "said"))[-1]["payload"]["text"] == "over HTTP"


async def test_two_members_talk(served: Served) -> None:
    """Through real sockets."""
    await chat(served, served)


async def test_two_processes_talk(redis_url: str, tmp_path: Path) -> None:
    """Through Redis and one database, each under another server."""
    environment = {"REDIS_URL": redis_url}
    async with (
        serving("daphne", tmp_path, environment) as one,
        serving("uvicorn", tmp_path, environment) as other,
    ):
        await chat(one, other)


async def test_nobody_is_told_why(served: Served) -> None:
    """The close code says 401; HTTP says it before."""
    async with connect(f"{served.ws}/ws/assistant/", proxy=None) as ws:
        told = json.loads(await ws.recv())
        with pytest.raises(ConnectionClosedError) as closed:
            await ws.recv()

    assert told["payload"]["status_code"] == 401
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_pages_of_other_sites_are_refused(served: Served) -> None:
    """A browser's page may connect when it comes from one of the ALLOWED_HOSTS."""
    board = f"{served.ws}/ws/board/"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(board, origin=Origin("https://example.com"), proxy=None):
            pass

    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN
    async with connect(board, origin=Origin(served.http), proxy=None) as same:
        await receive_until(same, "authentication")


async def test_static_files_are_served(served: Served) -> None:
    """By the application itself, in development as in production."""
    style = await asyncio.to_thread(
        urllib.request.urlopen, f"{served.http}/static/pages/site.css", timeout=10
    )
    with style:
        assert style.status == HTTPStatus.OK


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_was_asked_is_answered_before_the_end(
    served: Served, number: signal.Signals
) -> None:
    """A signal drains first: the answer that is being given is finished, then the socket is closed with 1012."""
    await make_accounts(served, "ada")
    ada = await Visitor.log_in(served, "ada")
    async with ada.connect("/ws/assistant/") as ws:
        await receive_until(ws, "authentication")
        await ws.send(json.dumps({"action": "ask", "payload": {"question": "votes"}, "ref": "1"}))
        await receive_until(ws, "answer_piece")
        served.program.process.send_signal(number)
        await receive_until(ws, "complete")
        with pytest.raises(ConnectionClosedError) as closed:
            await ws.recv()
    code = await served.program.ended()

    assert closed.value.rcvd is not None
    # Daphne refuses to send 1012, which then is told as the private 4012.
    assert closed.value.rcvd.code in (1012, 4012)
    assert code == 0
    assert "Traceback" not in "".join(served.program.output)


async def test_the_health_check(served: Served) -> None:
    """It tells a site that serves WebSockets from one that does not, and from none."""
    command = (sys.executable, "-m", "pages.health", "--port")
    run = await finished(*command, str(served.port))
    assert (run.code, run.err) == (0, "")

    with taken_port() as nobody_answers:
        run = await finished(*command, str(nobody_answers))
    assert run.code == 1
    assert run.err.count("\n") == 1
    assert "is not healthy: TimeoutError" in run.err
    assert (await finished(*command, str(free_port()))).code == 1


async def test_runserver_serves_websockets_too(tmp_path: Path) -> None:
    """Django's own development server, by way of daphne."""
    port = free_port()
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
    assert (await finished(*MANAGE, "migrate", environment=environment)).code == 0
    command = (*MANAGE, "runserver", "--noreload", f"127.0.0.1:{port}")
    async with Program.run(*command, environment=environment) as program:
        await program.prints(READY["daphne"])
        running = Served(program, port, environment)
        await chat(running, running)


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


@pytest.mark.parametrize(
    ("pool", "said"),
    [("4", "needs a DATABASE_URL of PostgreSQL"), ("many", "must be a number of connections")],
)
async def test_a_pool_that_cannot_be(pool: str, said: str) -> None:
    """SQLite has no pool, and PostgreSQL's has a size."""
    url = "sqlite:///nowhere.sqlite3" if pool == "4" else "postgres://nobody@127.0.0.1/nothing"
    environment = {"DATABASE_URL": url, "DATABASE_POOL": pool}
    run = await finished(*MANAGE, "check", environment=environment)

    assert run.code == 1
    assert said in run.err


async def test_the_checks_pass(tmp_path: Path) -> None:
    """Those of Django and those of chanx; and the models are what the migrations say."""
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
    run = await finished(*MANAGE, "check", "--fail-level", "WARNING", environment=environment)
    assert run.code == 0, run.err
    run = await finished(*MANAGE, "makemigrations", "--check", environment=environment)
    assert run.code == 0, run.out
