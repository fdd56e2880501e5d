"""One application under one server, as tests see it."""

import asyncio
import json
import re
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

from sandbox_servers.tests.program import Program
from sandbox_servers.tests.servers import APPLICATIONS, SERVERS, Server
from sandbox_servers.tests.valkey import free_port

__all__ = ["Served", "State", "serving", "serving_with_drain"]

# Any: what the application reports as JSON.
State = dict[str, Any]

# What no test may leave in the output, unless it says so.
_TROUBLE = re.compile(
    r"\bERROR\b|\bCRITICAL\b|\"level\": \"(error|critical)\"|Traceback|never retrieved|never awaited"
    r"|was destroyed|Unclosed|ResourceWarning|took too long"
)


@dataclass
class Served:
    """A server process, where it listens, and which of its lines have been looked at."""

    server: Server
    application: str
    program: Program
    port: int
    _looked_at: int = field(default=0, init=False)

    def url(self, path: str, **query: object) -> str:
        """Return the address of a WebSocket."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return f"ws://127.0.0.1:{self.port}/ws/{path}?{text}"

    async def state(self, case: str = "") -> State:
        """Ask the application what it is doing."""
        return await asyncio.to_thread(self._state, f"case={case}")

    async def release(self, case: str) -> None:
        """Let the waiting handlers of a case go on."""
        await asyncio.to_thread(self._state, f"case={case}&release=1")

    async def written(self) -> list[str]:
        """Return the lines of the program, with everything that has been logged until now."""
        mark = uuid4().hex
        await asyncio.to_thread(self._state, f"mark={mark}")
        await asyncio.to_thread(self.program.prints, mark)
        return list(self.program.lines)

    def _state(self, query: str) -> State:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", f"/state?{query}", headers={"Connection": "close"})
            state: State = json.load(connection.getresponse())
        finally:
            connection.close()
        return state

    async def until(
        self, condition: Callable[[State], object], case: str = "", within: float = 5.0
    ) -> State:
        """Ask again and again until the state is as it should be, for so many seconds."""
        state: State = {}
        try:
            async with asyncio.timeout(within):
                while not condition(state := await self.state(case)):
                    pass
        except TimeoutError:
            raise AssertionError(f"After {within:g} s the state still was {state}") from None
        return state

    def trouble(self) -> list[str]:
        """Return the new lines that report a failure, and remember to have looked at them."""
        new = self.program.lines[self._looked_at :]
        self._looked_at += len(new)
        return [line for line in new if _TROUBLE.search(line)]


@contextmanager
def serving(server: str, application: str, redis_url: str, *options: str) -> Generator[Served]:
    """Run one application under one server, by the server's own command."""
    kind, port = SERVERS[server], free_port()
    command = (*kind.command(APPLICATIONS[application], port), *options)
    with _program(command, redis_url) as program:
        program.prints(kind.ready)
        yield Served(kind, application, program, port)


@contextmanager
def serving_with_drain(server: str, application: str, redis_url: str) -> Generator[Served]:
    """Run one application under one server that drains before it stops."""
    kind, port = SERVERS[server], free_port()
    command = ("-m", "sandbox_servers.serve", server, APPLICATIONS[application])
    with _program((*command, "--port", str(port)), redis_url) as program:
        program.prints(kind.ready)
        yield Served(kind, application, program, port)


def _program(command: tuple[str, ...], redis_url: str) -> AbstractContextManager[Program]:
    environment = {"REDIS_URL": redis_url, "NO_COLOR": "1"}
    return Program.run(sys.executable, *command, environment=environment)
