"""Child processes of the development server: started one after another, stopped in reverse order."""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Children"]

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")


class Children:
    """A context whose processes are gone when it is left, in whatever way.

    `grace` is the time in seconds that each of them has to end after it was asked to.
    """

    def __init__(self, *, grace: float) -> None:
        self._grace = grace
        self._running: list[tuple[str, Process]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._running:
            _, process = self._running.pop()
            await _stop(process, self._grace)

    async def start(
        self,
        name: str,
        *command: str,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> Process:
        """Start a program, given by its path and arguments; `quiet` discards what it prints."""
        output = DEVNULL if quiet else None
        process = await asyncio.create_subprocess_exec(
            *_tied_to_this_process(command),
            env={**os.environ, **(environment or {})},
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            # A session of its own, so that Ctrl+C reaches only us and we stop things in order.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._running.append((name, process))
        return process

    async def first_end(self) -> str:
        """Wait until any of them ends by itself, and say which one and how."""
        waits = {asyncio.create_task(process.wait()): name for name, process in self._running}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        ended = done.pop()
        return f"{waits[ended]} ended with exit code {ended.result()}"


def _tied_to_this_process(command: tuple[str, ...]) -> tuple[str, ...]:
    if sys.platform != "linux":
        return command
    return (sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *command)


async def _stop(process: Process, grace: float) -> None:
    """Ask a process to end, and end it with all that it started when it does not (or we may not wait)."""
    if process.returncode is not None:
        return
    _ask_to_end(process)
    try:
        async with asyncio.timeout(grace):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError) as error:
        _kill(process)
        await process.wait()
        if isinstance(error, asyncio.CancelledError):
            raise


def _ask_to_end(process: Process) -> None:
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        process.terminate()


def _kill(process: Process) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
