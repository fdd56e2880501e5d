"""Running a program whose lines of output can be awaited, from tests of any scope."""

import os
import signal
import subprocess
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

__all__ = ["Program"]

SANDBOX = Path(__file__).resolve().parents[2]
TIME_LIMIT = 30.0


class Program:
    """A running program; `lines` is what it has written so far, standard output and error together."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []
        self._written = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @classmethod
    @contextmanager
    def run(cls, *command: str, environment: Mapping[str, str] | None = None) -> Generator[Self]:
        """Start a program; at the end it is stopped, with whatever it started itself."""
        process = subprocess.Popen(
            command,
            cwd=SANDBOX,
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with process:
            program = cls(process)
            try:
                yield program
            finally:
                program.stop()

    def prints(self, text: str) -> str:
        """Wait for a line with that text in it, and return the line."""
        with self._written:
            self._written.wait_for(lambda: self._ended or self._line_with(text), TIME_LIMIT)
            found = self._line_with(text)
        assert found is not None, f"{text!r} was never printed, but this was:\n{self.output()}"
        return found

    def output(self, since: int = 0) -> str:
        """Return the lines from a position on."""
        return "".join(self.lines[since:])

    def press_enter(self) -> None:
        """Give it an empty line."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it, and what it started, without a chance to say goodbye."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.ends()

    def ends(self, within: float = TIME_LIMIT) -> int:
        """Wait for the end of the program and of its output, and return its exit code."""
        code = self.process.wait(within)
        self._reader.join(within)
        return code

    def stop(self) -> int:
        """Tell it to stop, unless it has ended; one that does not is killed, which is an error."""
        if self.process.poll() is not None:
            return self.ends()
        self.process.terminate()
        try:
            return self.ends()
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise

    def _line_with(self, text: str) -> str | None:
        return next((line for line in self.lines if text in line), None)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._written:
                self.lines.append(line)
                self._written.notify_all()
        with self._written:
            self._ended = True
            self._written.notify_all()
