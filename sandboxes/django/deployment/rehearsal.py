"""Deploy the sandbox on this machine as compose.yaml does in containers, and use it over real sockets.

    python deployment/rehearsal.py ENVIRONMENT VALKEY_SERVER POSTGRES_PROGRAMS

PostgreSQL and Valkey of its own, `collectstatic`, `migrate`, then two processes of the application: one with the
command of the Dockerfile, one under daphne. At the end everything is stopped as a container is, and nothing may be
left. ENVIRONMENT is what install.sh made; this program itself runs in it.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import stat
import sys
import tempfile
import urllib.error
import urllib.request
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

SANDBOX = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
START, ANSWER, STOP = 30.0, 15.0, 20.0  # seconds
PASSWORD = "correct horse battery staple"


async def main(environment: Path, valkey: str, postgres: Path) -> None:
    """Run the rehearsal; AssertionError or TimeoutError says what went wrong."""
    redis_port, database_port = free_port(), free_port()
    started: list[int] = []
    with tempfile.TemporaryDirectory(prefix="chanx-rehearsal-") as name, database_folder() as home:
        folder = Path(name)
        site = copied_sandbox(folder)
        variables = {
            "ALLOWED_HOSTS": HOST,
            "DATABASE_POOL": "4",
            "DATABASE_URL": f"postgres://chanx@{HOST}:{database_port}/postgres",
            "DEBUG": "no",
            "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
            "REDIS_URL": f"redis://{HOST}:{redis_port}/0",
            "SECRET_KEY": "of a rehearsal, and long enough for tokens",
        }
        cluster = await new_cluster(postgres, home)
        async with AsyncExitStack() as stack:
            redis = [valkey, "--bind", HOST, "--port", str(redis_port), "--save", ""]
            database = postgres_command(postgres, cluster, database_port)
            programs = (("Valkey", redis, folder), ("PostgreSQL", database, home))
            for program, command, place in programs:
                process = await stack.enter_async_context(running(program, command, place, {}))
                started.append(process.pid)
            await until_it_listens(redis_port)
            await until_it_listens(database_port)
            for step in ("collectstatic --noinput --verbosity 0", "migrate --verbosity 0"):
                await done(["python", "manage.py", *step.split()], site, variables)
            say("files are collected, and the database is up to date")

            ports = [free_port(), free_port()]
            for port, server in zip(ports, ("uvicorn", "daphne"), strict=True):
                command = ["python", *serve_command(port, server)]
                process = await stack.enter_async_context(running(server, command, site, variables))
                started.append(process.pid)
            for port in ports:
                await until_healthy(port, site, variables)
            say("two processes serve")
            await smoke(ports[0], ports[1], site, variables)
    left = [pid for pid in started if is_running(pid)]
    assert not left, f"still running: {left}"
    say("nothing is left")


def copied_sandbox(folder: Path) -> Path:
    """Copy what the image has, so that nothing is written into the repository."""
    site = folder / "site"
    shutil.copytree(SANDBOX, site, ignore=shutil.ignore_patterns("__pycache__", "db.sqlite3*"))
    return site


def serve_command(port: int, server: str) -> list[str]:
    """Return the command of the Dockerfile, on this machine alone, on another port and under that server."""
    text = (SANDBOX / "Dockerfile").read_text(encoding="utf-8")
    command: list[str] = json.loads(re.findall(r"(?m)^CMD (\[.*\])$", text)[-1])
    replaced = {"0.0.0.0": HOST, "8080": str(port), "uvicorn": server}
    return [replaced.get(word, word) for word in command[1:]]


# PostgreSQL refuses to run as root.
AS_NOBODY = (
    ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    if os.geteuid() == 0
    else []
)


@contextmanager
def database_folder() -> Generator[Path]:
    """Make a temporary folder that the user of the database server can enter.

    Sessions of nox have their temporary files in the checkout, which may be in root's home.
    """
    places = [Path(place) for place in (tempfile.gettempdir(), "/tmp", "/var/tmp")]
    place = next((place for place in places if not AS_NOBODY or is_open_to_all(place)), None)
    assert place is not None, f"user postgres can enter none of {', '.join(map(str, places))}"
    with tempfile.TemporaryDirectory(prefix="chanx-postgres-", dir=place) as name:
        yield Path(name)


def is_open_to_all(folder: Path) -> bool:
    """Tell whether every user can enter a folder."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents))


async def new_cluster(postgres: Path, folder: Path) -> Path:
    """Make the files of a database server."""
    cluster = own_folder(folder)
    command = [str(postgres / "initdb"), "-D", str(cluster), "-U", "chanx"]
    command += ["--auth=trust", "--no-sync", "--encoding=UTF8"]
    await done([*AS_NOBODY, *command], folder, {"PATH": "/usr/sbin:/usr/bin:/bin"})
    return cluster


def postgres_command(postgres: Path, cluster: Path, port: int) -> list[str]:
    """Return the command of a database server on this machine alone."""
    command = [str(postgres / "postgres"), "-D", str(cluster), "-h", HOST, "-p", str(port)]
    return [*AS_NOBODY, *command, "-k", ""]


def own_folder(folder: Path) -> Path:
    """Make a folder that the database server may write to."""
    cluster = folder / "database"
    cluster.mkdir(mode=0o700)
    if AS_NOBODY:
        folder.chmod(0o755)
        shutil.chown(cluster, "postgres")
    return cluster


async def smoke(one: int, other: int, site: Path, variables: dict[str, str]) -> None:
    """Use what a user would, on both processes."""
    for name in ("ada", "bob"):
        making = "from django.contrib.auth.models import User; "
        making += f"User.objects.create_user({name!r}, password={PASSWORD!r})"
        await done(["python", "manage.py", "shell", "--command", making], site, variables)
    ada, bob = await token_of(one, "ada"), await token_of(other, "bob")
    say("people log in")
    room = (await request(one, "/api/rooms/", {"name": "lobby"}, ada))["id"]
    await request(one, f"/api/rooms/{room}/members/", {"username": "bob"}, ada)
    path = f"/ws/rooms/{room}/"
    async with opened(one, path, ada) as hers, opened(other, path, bob) as his:
        for member in (hers, his):
            await tell(member, "ping", None)
            await heard(member, "pong")
        await tell(hers, "say", {"text": "hello"})
        assert (await heard(his, "said"))["text"] == "hello"
        await request(other, f"/api/rooms/{room}/messages/", {"text": "over HTTP"}, bob)
        assert (await heard(hers, "said"))["text"] == "hello"
        assert (await heard(hers, "said"))["text"] == "over HTTP"
    say("a room hears what is said on either process, over sockets and over HTTP")
    page = await asyncio.to_thread(text_of, f"http://{HOST}:{one}/board/")
    style = re.findall(r"/static/pages/site\.[0-9a-f]+\.css", page)
    assert style, "the page names no style with a hash"
    assert "--accent" in await asyncio.to_thread(text_of, f"http://{HOST}:{other}{style[0]}")
    assert "Back to the rooms" in await asyncio.to_thread(missing_page, f"http://{HOST}:{one}/no/")
    say("pages and their files are served")


async def token_of(port: int, name: str) -> str:
    answer = await request(port, "/api/token/", {"username": name, "password": PASSWORD})
    token: str = answer["access"]
    return token


async def request(port: int, path: str, body: object, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    asked = urllib.request.Request(
        f"http://{HOST}:{port}{path}", json.dumps(body).encode(), headers
    )
    return json.loads(await asyncio.to_thread(text_of, asked))


def text_of(asked: str | urllib.request.Request) -> str:
    with urllib.request.urlopen(asked, timeout=ANSWER) as answer:
        text: str = answer.read().decode()
        return text


def missing_page(url: str) -> str:
    try:
        return f"{text_of(url)} is there"
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def opened(port: int, path: str, token: str) -> connect:
    headers = {"Authorization": f"Bearer {token}"}
    return connect(f"ws://{HOST}:{port}{path}", additional_headers=headers, proxy=None)


async def tell(member: ClientConnection, action: str, payload: object) -> None:
    await member.send(json.dumps({"action": action, "payload": payload}))


async def heard(member: ClientConnection, action: str) -> Any:
    """Return the payload of the next frame with that action."""
    async with asyncio.timeout(ANSWER):
        while (frame := json.loads(await member.recv()))["action"] != action:
            pass
        return frame["payload"]


async def done(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    """Run a program to its end, which has to be a good one."""
    process = await asyncio.create_subprocess_exec(
        *found(command, variables), cwd=folder, env=variables, stdout=asyncio.subprocess.DEVNULL
    )
    code = await process.wait()
    assert code == 0, f"{' '.join(command)} ended with {code}"


@asynccontextmanager
async def running(
    name: str, command: list[str], folder: Path, variables: dict[str, str]
) -> AsyncGenerator[Process]:
    """Start a program, and stop it as a container is stopped; it has to end in time, and well."""
    variables = variables or {"PATH": "/usr/sbin:/usr/bin:/bin"}
    process = await asyncio.create_subprocess_exec(
        *found(command, variables),
        cwd=folder,
        env=variables,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
        assert process.returncode is None, f"{name} has ended with {process.returncode}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            raise
    assert code in (0, -signal.SIGTERM, 128 + signal.SIGTERM), f"{name} ended with {code}"


def found(command: list[str], variables: dict[str, str]) -> list[str]:
    """Look the program up where the variables say."""
    return [shutil.which(command[0], path=variables["PATH"]) or command[0], *command[1:]]


async def until_healthy(port: int, site: Path, variables: dict[str, str]) -> None:
    """Run the image's health check until it is content."""
    command = found(["python", "-m", "pages.health", "--port", str(port)], variables)
    async with asyncio.timeout(START):
        while True:
            check = await asyncio.create_subprocess_exec(
                *command, cwd=site, env=variables, stderr=asyncio.subprocess.DEVNULL
            )
            if await check.wait() == 0:
                return


async def until_it_listens(port: int) -> None:
    async with asyncio.timeout(START):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def say(sentence: str) -> None:
    print(f"rehearsal: {sentence}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
