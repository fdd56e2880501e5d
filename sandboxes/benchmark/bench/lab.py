"""Running peers: their processes, and rounds in which each has its turn."""

import json
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from .environments import CLIENT, HERE, VALKEY, Environments
from .peers import Peer

__all__ = ["Lab", "Process", "Series"]


class Process:
    """A worker that answers commands, one at a time."""

    def __init__(self, python: Path, script: str, *arguments: str) -> None:
        self._script = f"{script}.py of {python}"
        command = [str(python), f"{HERE}/workers/{script}.py", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def start(self, do: str, **arguments: Any) -> None:
        """Send a command whose answer `result()` waits for."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")

    def result(self) -> Any:
        """Wait for the answer to a command. Raises RuntimeError where the worker has failed."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._script} has ended")
        return json.loads(line)

    def ask(self, do: str, **arguments: Any) -> Any:
        """Send a command and wait for its answer."""
        self.start(do, **arguments)
        return self.result()

    def finish(self) -> None:
        """Let the process end by itself, which it does when it is told nothing more."""
        self._process.communicate(timeout=10)

    def end(self) -> None:
        """End the process; this one and no other."""
        self._process.kill()
        self._process.communicate()


class Series:
    """What was measured: a list of values, one for each round, by what it is and by whom."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], list[float]] = {}

    def add(self, measure: str, peer: Peer, value: float) -> None:
        """Note the value of one round."""
        self._values.setdefault((measure, peer.name), []).append(value)

    def values(self, measure: str, peer: Peer) -> list[float]:
        """Return the values by round."""
        return self._values[measure, peer.name]

    def median(self, measure: str, peer: Peer) -> float:
        """Return the middle value."""
        return median(self.values(measure, peer))

    def ratio(self, measure: str, peer: Peer, to_measure: str, to_peer: Peer) -> float:
        """Return the middle one of the ratios of each round."""
        pairs = zip(self.values(measure, peer), self.values(to_measure, to_peer), strict=True)
        return median(value / other for value, other in pairs)


class Lab:
    """What a suite needs: processes of peers, the number of rounds, and somebody to tell."""

    def __init__(
        self, environments: Environments, *, quick: bool, tell: Callable[[str], None]
    ) -> None:
        self._environments = environments
        self.quick = quick
        self.tell = tell

    def rounds(self, count: int, *, quick: int = 1) -> Iterator[int]:
        """Count the rounds, and tell."""
        total = quick if self.quick else count
        for number in range(1, total + 1):
            self.tell(f"round {number} of {total}")
            yield number

    @contextmanager
    def worker(self, peer: Peer, **options: Any) -> Generator[Process]:
        """Run a worker of a peer."""
        with self._process(peer, json.dumps(options)) as process:
            yield process

    @contextmanager
    def server(self, peer: Peer, **options: Any) -> Generator[int]:
        """Run a server of a peer; the port is on 127.0.0.1."""
        with self.worker(peer, **options) as process:
            yield process.ask("serve")

    @contextmanager
    def client(self, port: int) -> Generator[Process]:
        """Run a client of a server."""
        with self._process(CLIENT, str(port)) as process:
            process.ask("open")
            yield process

    @contextmanager
    def valkey(self) -> Generator[str]:
        """Run a Redis-protocol server and yield its URL."""
        with self._process(VALKEY) as process:
            try:
                yield f"redis://127.0.0.1:{process.ask('port')}/0"
            finally:
                process.finish()  # not ended: it would leave the server behind

    @contextmanager
    def _process(self, peer: Peer, *arguments: str) -> Generator[Process]:
        with ExitStack() as stack:
            process = Process(self._environments.python(peer), peer.worker, *arguments)
            stack.callback(process.end)
            yield process

    def run(self, peer: Peer, script: str, *arguments: str) -> str:
        """Run a script in the environment of a peer and return what it prints."""
        command = [str(self._environments.python(peer)), f"{HERE}/workers/{script}.py", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
