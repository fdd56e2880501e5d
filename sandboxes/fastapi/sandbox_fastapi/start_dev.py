"""Start everything that the sandbox needs with one command, and stop all of it with Ctrl+C.

    python sandbox_fastapi/start_dev.py [--port 8080] [--no-reload]

Without REDIS_URL a Valkey server is started for this run alone, then the ARQ worker, then the application, which is
reloaded when a source file changes.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
SANDBOX = HERE.parent
if not __package__:
    # Started as a script: Python looks for modules beside it, but the package is one folder up.
    sys.path[:] = [str(SANDBOX), *(entry for entry in sys.path if Path(entry) != HERE)]

from sandbox_fastapi.processes import Children  # noqa: E402
from sandbox_fastapi.redis_server import (  # noqa: E402
    RedisServerError,
    check_redis,
    start_valkey,
    valkey_binary,
)
from sandbox_fastapi.running import announced  # noqa: E402
from sandbox_fastapi.settings import Settings  # noqa: E402

__all__ = ["main"]

START_TIMEOUT = 30.0
STOP_GRACE = 10.0
# Long enough for a message of the longest text; anything bigger is refused by the server.
MAX_FRAME_BYTES = 64 * 1024
POLL = 0.02


class StartError(Exception):
    """Something that keeps the server from running, in one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl+C or SIGTERM; return the exit code."""
    options = _parse(arguments)
    try:
        settings = _settings()
        _check_port_is_free(options.host, options.port)
        asyncio.run(_run(options, settings))
    except (StartError, RedisServerError) as error:
        print(f"start_dev: {error}", file=sys.stderr)
        return 1
    except (asyncio.CancelledError, KeyboardInterrupt):
        print("Stopped.", flush=True)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start the FastAPI sandbox.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", default=8080, type=_port, help="port to listen on (%(default)s)")
    parser.add_argument(
        "--reload",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="restart the application and the worker when a source file changes",
    )
    return parser.parse_args(arguments)


def _settings() -> Settings:
    try:
        return Settings.from_environment()
    except ValueError as error:
        raise StartError(str(error)) from None


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r}")
    return int(text)


def _check_port_is_free(host: str, port: int) -> None:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError:
        raise StartError(f"{host} is not an address to listen on.") from None
    with closing(socket.socket(family)) as probe:
        if sys.platform != "win32":  # there it would allow to take a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StartError(
                f"cannot listen on {host}:{port} ({reason}); choose another port with --port."
            ) from None


async def _run(options: argparse.Namespace, settings: Settings) -> None:
    _cancel_on_signals()
    async with Children(grace=STOP_GRACE) as children:
        redis_url = await _provide_layer(children, settings.redis_url)
        await _start_worker(children, options, redis_url)
        await _start_application(children, options, redis_url)
        address = f"http://{options.host}:{options.port}"
        _say(f"Chat:          {address}")
        _say(f"AsyncAPI:      {address}/asyncapi")
        with announced(options.port, redis_url) if redis_url else nullcontext():
            _say("Ctrl+C stops everything.")
            raise StartError(f"{await children.first_end()}; everything else was stopped.")


def _cancel_on_signals() -> None:
    """Let SIGINT, SIGTERM and a closed terminal end the current task, a second one without further waiting."""
    task = asyncio.current_task()
    if sys.platform == "win32" or task is None:
        return  # asyncio.run() itself does so for Ctrl+C
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _provide_layer(children: Children, redis_url: str | None) -> str | None:
    if redis_url is not None:
        _say(f"Channel layer: Redis at {await check_redis(redis_url)} (REDIS_URL).")
        return redis_url
    binary = valkey_binary()
    if binary is None:
        _say(
            "Channel layer: in this process's memory, because there is no Valkey for this "
            "platform and REDIS_URL is not set."
        )
        return None
    url = await start_valkey(children, binary)
    _say(f"Channel layer: {url}, a Valkey server started for this run (REDIS_URL is not set).")
    return url


async def _start_worker(
    children: Children, options: argparse.Namespace, redis_url: str | None
) -> None:
    """Start the worker of background jobs; without it the application says that there is none."""
    if redis_url is None:
        _say("Jobs:          no worker, because jobs need a Redis server.")
        return
    if find_spec("arq") is None:
        _say("Jobs:          no worker, because arq is not installed (uv run --group jobs ...).")
        return
    await children.start(
        "the job worker",
        *(sys.executable, "-m", "arq", "sandbox_fastapi.worker.WorkerSettings"),
        *(("--watch", str(HERE)) if options.reload else ()),
        environment=_environment(redis_url),
    )
    _say("Jobs:          an ARQ worker.")


async def _start_application(
    children: Children, options: argparse.Namespace, redis_url: str | None
) -> None:
    process = await children.start(
        "the application",
        *(sys.executable, "-m", "uvicorn", "sandbox_fastapi.main:app"),
        *("--app-dir", str(SANDBOX)),
        *("--host", options.host, "--port", str(options.port)),
        *("--ws-max-size", str(MAX_FRAME_BYTES), "--timeout-graceful-shutdown", "5"),
        *(("--reload", "--reload-dir", str(HERE)) if options.reload else ()),
        environment=_environment(redis_url),
    )
    try:
        async with asyncio.timeout(START_TIMEOUT):
            while process.returncode is None:
                if await _is_healthy(options.host, options.port):
                    return
                await asyncio.sleep(POLL)
    except TimeoutError:
        raise StartError(f"the application did not answer within {START_TIMEOUT:g} s.") from None
    raise StartError(
        f"the application ended with exit code {process.returncode} before it answered; "
        "it says why above."
    )


async def _is_healthy(host: str, port: int) -> bool:
    """Ask for /health. What reloads the application listens long before that can answer."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(f"GET /health HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()


def _environment(redis_url: str | None) -> dict[str, str]:
    return {"REDIS_URL": redis_url or "", "PYTHONPATH": _python_path()}


def _python_path() -> str:
    """Put the sandbox first, for the application and what it starts itself (the reloader's child)."""
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(SANDBOX), *([inherited] if inherited else [])])


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
