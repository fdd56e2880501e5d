"""The command-line client against the running demo, and against nobody."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from sandbox_fastapi import client
from sandbox_fastapi.tests.support import (
    CLIENT,
    ROOT,
    SANDBOX,
    Demo,
    Program,
    finished,
    free_port,
)


def chatting(demo: Demo, name: str) -> AbstractAsyncContextManager[Program]:
    """Start a client in the lobby."""
    return Program.run(*CLIENT, "lobby", "--name", name, "--url", demo.ws)


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN], ids=["shell", "nohup"])
async def test_programs_can_be_interrupted(inherited: signal.Handlers) -> None:
    """Also if the tests themselves run in the background, where signals of the terminal are ignored."""
    before = signal.signal(signal.SIGINT, inherited)
    try:
        program = "import signal; print(signal.getsignal(signal.SIGINT))"
        async with Program.run(sys.executable, "-c", program) as started:
            assert "default_int_handler" in await started.prints("")
        assert signal.getsignal(signal.SIGINT) is inherited
    finally:
        signal.signal(signal.SIGINT, before)


async def test_two_terminals(demo: Demo) -> None:
    """They see each other come, talk and go."""
    async with chatting(demo, "ada") as ada:
        await ada.prints("You joined lobby")
        async with chatting(demo, "grace") as grace:
            await grace.prints("You joined lobby")
            assert await ada.prints("grace") == "* grace joined"

            await ada.type("Hello, Grace")
            assert await ada.prints("Hello") == "you: Hello, Grace"
            assert await grace.prints("Hello") == "ada: Hello, Grace"

            grace.end_input()
            await grace.prints("You left lobby")
            assert await grace.ends() == 0
        assert await ada.prints("left") == "* grace left"
        assert await ada.stop(signal.SIGINT) == 0

    assert "You left lobby." in "".join(ada.output)


async def test_piped_lines_are_answered_before_it_ends(demo: Demo) -> None:
    """Empty lines are skipped; what the server would refuse is not sent."""
    typed = f"one\n\n  two  \n{'x' * 2001}\nlast without an end"
    run = await finished(*CLIENT, "lobby", "--url", demo.ws, typed=typed)

    assert run.code == 0
    said = run.out.splitlines()
    assert [line for line in said if line.startswith("you: ")] == [
        "you: one",
        "you: two",
        "you: last without an end",
    ]
    assert "! not sent: String should have at most 2000 characters" in said
    assert said[-1] == "You left lobby."


@pytest.mark.parametrize(
    ("script", "folder"),
    [
        ("sandboxes/fastapi/sandbox_fastapi/client.py", ROOT),
        ("sandbox_fastapi/client.py", SANDBOX),
    ],
    ids=["repository", "sandbox"],
)
async def test_it_starts_as_a_script(demo: Demo, script: str, folder: Path) -> None:
    """As the repository's README says."""
    command = (sys.executable, script, "lobby", "--name", "ada", "--url", demo.ws)
    run = await finished(*command, typed="hello\n", cwd=folder)

    assert run.code == 0, run.err
    assert "you: hello" in run.out.splitlines()


async def test_the_end_of_the_server(demo: Demo) -> None:
    """The client says so and ends although nobody types."""
    async with chatting(demo, "ada") as ada:
        await ada.prints("You joined lobby")
        await demo.program.stop()

        await ada.prints("The server closed the connection (code 1012")
        assert await ada.ends() == 1


async def test_a_closed_input(demo: Demo) -> None:
    """Is one without lines."""
    command = f'"{sys.executable}" -m sandbox_fastapi.client lobby --url {demo.ws} <&-'
    run = await finished("/bin/sh", "-c", command)

    assert run.code == 0
    assert run.out.splitlines()[-1] == "You left lobby."
    assert run.err == ""


async def test_nobody_there() -> None:
    """One sentence."""
    url = f"ws://127.0.0.1:{free_port()}"
    run = await finished(*CLIENT, "lobby", "--url", url)

    assert run.code == 1
    assert run.err == f"Cannot reach {url} (connection refused); is the server running?\n"
    assert run.out == ""


async def test_a_path_that_is_no_room(demo: Demo) -> None:
    """Such as the other sandbox's."""
    run = await finished(*CLIENT, "lobby", "--url", demo.ws, "--path", "/nowhere/{room}/")

    assert run.code == 1
    assert run.err == f"{demo.ws} refused the room (HTTP 403).\n"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "ws://", "ws://127.0.0.1:x", "ws://[::1"])
async def test_not_an_address(url: str) -> None:
    """The cure is shown."""
    run = await finished(*CLIENT, "lobby", "--url", url)

    assert run.code == 2
    assert "write it like ws://127.0.0.1:8080" in run.err


@asynccontextmanager
async def server(*frames: object, code: int = 1000, reason: str = "") -> AsyncGenerator[str]:
    """A server that sends prepared frames after the first message, then closes."""

    async def answer(connection: ServerConnection) -> None:
        await connection.recv()
        for frame in frames:
            await connection.send(frame if isinstance(frame, str) else json.dumps(frame))
        await connection.close(code, reason)

    async with serve(answer, "127.0.0.1", 0) as serving:
        (listener,) = serving.sockets
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"


async def test_what_is_printed() -> None:
    """Nothing that a server sends can control the terminal or end the client."""
    said: dict[str, Any] = {
        "message": "\x1b[2Jhi\u202e",
        "room_name": "r",
        "sender": "\x07eve",
        "kind": "chat",
    }
    frames: list[dict[str, Any] | str] = [
        {"action": "room_notification", "payload": said, "is_current": False},
        {"action": "room_notification", "payload": {**said, "kind": "left", "message": "x left"}},
        {
            "action": "error",
            "payload": [{"type": "t", "loc": ["payload", "message"], "msg": "too \x1b long"}],
        },
        {"action": "error", "payload": {"detail": "Failed to process message"}},
        {"action": "complete", "payload": None},
        {"action": "room_notification", "payload": {}},
        "\ud83d nonsense".encode("utf-8", "replace").decode(),
        "[]",
    ]
    async with server(*frames, code=4000, reason="enough\x1b") as url:
        run = await finished(*CLIENT, "r", "--url", url)

    assert run.code == 1
    assert run.out.splitlines() == [
        "\ufffdeve: \ufffd[2Jhi\ufffd",
        "* x left",
        "! payload.message: too \ufffd long",
        "! Failed to process message",
        *["? something that is no message of this chat"] * 3,
    ]
    assert run.err == "The server closed the connection (code 4000: enough\ufffd).\n"


async def test_a_server_that_refuses() -> None:
    """With the status it refused with."""

    def refuse(connection: ServerConnection, _request: Request) -> Response:
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "full")

    async def never(connection: ServerConnection) -> None:
        raise AssertionError

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as serving:
        url = f"ws://127.0.0.1:{serving.sockets[0].getsockname()[1]}"
        run = await finished(*CLIENT, "lobby", "--url", url)

    assert run.err == f"{url} refused the room (HTTP 503).\n"
    assert run.code == 1


async def test_something_else_at_the_address() -> None:
    """A server that speaks another protocol."""

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    serving = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with serving:
        url = f"ws://127.0.0.1:{serving.sockets[0].getsockname()[1]}"
        run = await finished(*CLIENT, "lobby", "--url", url)

    assert run.err == f"{url} does not answer like a WebSocket server.\n"
    assert run.code == 1


async def test_the_generated_client_is_up_to_date() -> None:
    """`api_client/` is what this command writes without `--check`."""
    command = "chanx generate-client -s sandbox_fastapi.main:app -o sandbox_fastapi/api_client"
    program, *arguments = command.split()
    run = await finished(
        str(Path(sys.executable).with_name(program)), *arguments, "--no-readme", "--check"
    )

    assert run.code == 0, run.out + run.err


async def test_a_reader_that_goes_away() -> None:
    """`client | head -1` ends without a word about pipes."""
    frame = {
        "action": "room_notification",
        "payload": {"message": "x" * 2000, "room_name": "r", "sender": "eve", "kind": "chat"},
    }
    async with server(*[frame] * 200) as url:
        command = f'"{sys.executable}" -m sandbox_fastapi.client r --url {url} | head -n 1'
        run = await finished("/bin/sh", "-c", command)

    assert run.out.count("\n") == 1
    assert run.err == ""


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (None, "the server reported an error"),
        ({"other": 1}, "the server reported an error"),
        ([{"loc": ["ref"], "msg": "too short"}, {"msg": "Invalid"}], "ref: too short; Invalid"),
    ],
)
def test_error_frames(payload: object, said: str) -> None:
    """Every form has words."""
    assert client.describe_error(payload) == said
