"""The demo as a user starts it: a program, a Valkey, real sockets."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from sandbox_fastapi.running import running_redis
from sandbox_fastapi.tests.support import (
    ROOT,
    SANDBOX,
    START_DEV,
    Demo,
    Program,
    command_line,
    descendants,
    finished,
    free_port,
    join,
    process_ends,
    receive_chat,
    taken_port,
    watching,
)

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
START = (sys.executable, str(START_DEV))


async def test_two_clients_chat(demo: Demo) -> None:
    """Through real sockets and a real Valkey."""
    lobby = f"{demo.ws}/ws/room/lobby?name="
    async with connect(lobby + "ada", proxy=None) as ada, connect(lobby + "bob", proxy=None) as bob:
        await join(ada)
        await join(bob)
        await ada.send(json.dumps({"action": "room_chat", "payload": {"message": "hello"}}))

        heard = await receive_chat(bob)

        assert heard["payload"]["message"] == "hello"
        assert heard["payload"]["sender"] == "ada"
        assert heard["is_current"] is False


async def test_pages_of_other_sites_are_refused(demo: Demo) -> None:
    """A browser's page may connect to the server it came from, and nowhere else."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            f"{demo.ws}/ws/room/lobby", origin=Origin("https://example.com"), proxy=None
        ):
            pass

    assert refused.value.response.status_code == 403
    async with connect(f"{demo.ws}/ws/room/lobby", origin=Origin(demo.http), proxy=None) as same:
        await join(same)


@on_linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("options", [("--no-reload",), ()], ids=["plain", "reload"])
async def test_a_signal_stops_everything(number: signal.Signals, options: tuple[str, ...]) -> None:
    """The application, what reloads it, the job worker, and Valkey."""
    async with Program.run(*START, "--port", str(free_port()), *options) as demo:
        await demo.prints("Ctrl+C stops everything")
        children = descendants(demo.pid)
        commands = " ".join(command_line(child) for child in children)
        assert all(name in commands for name in ("uvicorn", "arq", "valkey-server"))
        with watching(*children) as handles:
            code = await demo.stop(number)

            for handle in handles:
                await process_ends(handle)

    assert code == 0
    assert "Traceback" not in "".join(demo.output)


@on_linux
@pytest.mark.parametrize("options", [("--no-reload",), ()], ids=["plain", "reload"])
async def test_nothing_outlives_a_killed_demo(options: tuple[str, ...]) -> None:
    """SIGKILL leaves no time to stop anything: the kernel does it."""
    async with Program.run(*START, "--port", str(free_port()), *options) as demo:
        await demo.prints("Ctrl+C stops everything")
        with watching(*descendants(demo.pid)) as children:
            demo.process.kill()

            for child in children:
                await process_ends(child)


@on_linux
async def test_the_next_demo_clears_away_what_a_killed_one_has_left() -> None:
    """It had no time to take back where its Valkey was."""
    port, next_port = free_port(), free_port()
    async with Program.run(*START, "--port", str(port), "--no-reload") as demo:
        await demo.prints("Ctrl+C stops everything")
        assert running_redis(port)
        with watching(*descendants(demo.pid)) as children:
            demo.process.kill()
            await demo.ends()
            for child in children:
                await process_ends(child)
    left_behind = SANDBOX / ".run" / f"redis-{port}"
    assert left_behind.exists()
    assert running_redis(port) is None

    async with Program.run(*START, "--port", str(next_port), "--no-reload") as demo:
        await demo.prints("Ctrl+C stops everything")
        assert not left_behind.exists()
        assert running_redis(next_port)
    assert running_redis(next_port) is None


@on_linux
@pytest.mark.parametrize(
    ("program", "name"), [("valkey-server", "Valkey"), ("arq", "the job worker")]
)
async def test_the_end_of_one_ends_the_demo(program: str, name: str) -> None:
    """It is said, instead of leaving a chat in which nobody hears anybody."""
    async with Program.run(*START, "--port", str(free_port()), "--no-reload") as demo:
        await demo.prints("Ctrl+C stops everything")
        (child,) = (pid for pid in descendants(demo.pid) if program in command_line(pid))
        os.kill(child, signal.SIGTERM)

        assert await demo.ends() == 1

    assert f"start_dev: {name} ended with exit code 0" in "".join(demo.output)


@pytest.mark.parametrize(
    ("script", "folder"),
    [
        ("sandboxes/fastapi/sandbox_fastapi/start_dev.py", ROOT),
        ("sandbox_fastapi/start_dev.py", SANDBOX),
    ],
    ids=["repository", "sandbox"],
)
async def test_it_starts_from_both_folders(script: str, folder: Path, redis_url: str) -> None:
    """As the repository's README and the sandbox's say, here with a Redis of the user's."""
    port = free_port()
    command = (sys.executable, script, "--port", str(port))
    async with Program.run(*command, cwd=folder, environment={"REDIS_URL": redis_url}) as demo:
        layer = await demo.prints("Channel layer")
        address = await demo.prints("Chat:")

    assert layer.endswith("(REDIS_URL).")
    assert address.endswith(f"http://127.0.0.1:{port}")


async def test_the_order_and_the_port() -> None:
    """Layer, worker, application; 8080 unless told otherwise."""
    async with Program.run(*START, "--port", str(free_port())) as demo:
        await demo.prints("Ctrl+C stops everything")
    told = [line.partition(":")[0] for line in demo.output if line[:1].isupper() and ":  " in line]
    usage = await finished(*START, "--help")

    assert [name for name in told if name != "INFO"] == ["Jobs", "Chat", "AsyncAPI"]
    assert demo.output[0].startswith("Channel layer: ")
    assert "port to listen on (8080)" in usage.out


async def test_a_changed_file_reloads_the_application() -> None:
    """Which answers again, with the same Valkey and a worker that was restarted too."""
    port = free_port()
    async with Program.run(*START, "--port", str(port)) as demo:
        await demo.prints("Ctrl+C stops everything")
        (SANDBOX / "sandbox_fastapi" / "__init__.py").touch()
        await demo.prints("Reloading")
        await demo.prints("Application startup complete")

        async with connect(f"ws://127.0.0.1:{port}/ws/room/lobby", proxy=None) as client:
            await join(client)


def says_in_one_line(err: str, *parts: str) -> bool:
    """Tell whether the error is one line that holds all of the parts."""
    return (
        err.count("\n") == 1
        and err.startswith("start_dev: ")
        and all(part in err for part in parts)
    )


async def test_a_port_in_use() -> None:
    """One sentence and an exit code, before anything is started."""
    with taken_port() as port:
        run = await finished(*START, "--port", str(port))

    assert run.code == 1
    assert run.out == ""
    assert says_in_one_line(run.err, f"cannot listen on 127.0.0.1:{port}", "in use", "--port")


async def test_a_redis_that_does_not_answer() -> None:
    """The address is named, its password is not."""
    url = f"redis://user:secret@127.0.0.1:{free_port()}/0"
    run = await finished(*START, "--port", str(free_port()), environment={"REDIS_URL": url})

    assert run.code == 1
    assert run.out == ""
    assert says_in_one_line(run.err, "REDIS_URL names 127.0.0.1:", "connection refused")
    assert "secret" not in run.err


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1", "redis://127.0.0.1:port/0"])
async def test_a_redis_url_that_is_none(url: str) -> None:
    """What it should look like is shown."""
    run = await finished(*START, "--port", str(free_port()), environment={"REDIS_URL": url})

    assert run.code == 1
    assert says_in_one_line(run.err, "REDIS_URL", "redis://127.0.0.1:6379/0")


@pytest.mark.parametrize(
    ("arguments", "environment", "part"),
    [
        (("--port", "0"), {}, "a port is a number from 1 to 65535"),
        (("--port", "many"), {}, "a port is a number from 1 to 65535"),
        (("--host", "not an address"), {}, "not an address is not an address to listen on"),
        ((), {"SEND_COMPLETION": "perhaps"}, "SEND_COMPLETION must be"),
    ],
)
async def test_other_mistakes(
    arguments: tuple[str, ...], environment: dict[str, str], part: str
) -> None:
    """Each is explained, and none with a traceback."""
    run = await finished(*START, *arguments, environment=environment)

    assert run.code in (1, 2)
    assert part in run.err
    assert "Traceback" not in run.err
