"""The servers: how each is started, and where it behaves unlike the others."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["APPLICATIONS", "SERVERS", "Server"]

APPLICATIONS = {
    "starlette": "sandbox_servers.on_starlette:application",
    "django": "sandbox_servers.on_django:application",
}


@dataclass(frozen=True)
class Server:
    """One server as its own command starts it, and where it is unlike the others."""

    command: Callable[[str, int], tuple[str, ...]]
    ready: str
    """What it prints once it listens."""

    sends_every_code: bool = True
    """Daphne closes with 1000 and with 3000 up; the library adds 3000 to what it refuses."""
    too_large_codes: tuple[int | None, ...] = (1009,)
    """What a client may see that sends 20 MiB. Daphne drops the connection, hypercorn takes its time."""
    pushes_back: bool = True
    """Whether it stops reading while the application does. Daphne puts everything in a queue."""
    feels_slow_peers: bool = True
    """Whether a send waits for the peer. Daphne's never does: it has a buffer without bounds."""
    shutdown_code: int = 1012
    """What clients see when the server is told to stop, unless it drains first.

    Daphne drops the TCP connection. Hypercorn goes on for 3 s and then cancels the application.
    """
    last_words: str = ""
    """A line of trouble that the server itself writes when it cancels applications."""
    always_ends_applications: bool = True
    """Daphne forgets to when it has accepted anything within the last second: memberships then stay."""
    forgets_floods: bool = False
    """Hypercorn keeps a connection for ever whose application has ended with a full queue before it.

    The library empties that queue for a second, which is enough for whoever does not flood.
    """

    def code(self, code: int) -> int:
        """Return what a client sees where the library closes with this code."""
        refused = 1000 < code < 3000 and not self.sends_every_code
        return code + 3000 if refused else code


def _uvicorn(application: str, port: int) -> tuple[str, ...]:
    return ("-m", "uvicorn", application, "--port", str(port), "--no-access-log")


def _wsproto(application: str, port: int) -> tuple[str, ...]:
    return (*_uvicorn(application, port), "--ws", "wsproto")


def _hypercorn(application: str, port: int) -> tuple[str, ...]:
    return ("-m", "hypercorn", application, "--bind", f"127.0.0.1:{port}")


def _daphne(application: str, port: int) -> tuple[str, ...]:
    return ("-m", "daphne", application, "--bind", "127.0.0.1", "--port", str(port))


# The servers, and the one table of their differences. What is not listed is as in `Server`.
SERVERS = {
    "uvicorn": Server(_uvicorn, "Uvicorn running"),
    "wsproto": Server(_wsproto, "Uvicorn running"),
    "hypercorn": Server(
        _hypercorn,
        "Running on",
        too_large_codes=(1009, None),
        shutdown_code=1011,
        last_words="Traceback (most recent call last):\n",
        forgets_floods=True,
    ),
    "daphne": Server(
        _daphne,
        "Listening on TCP",
        sends_every_code=False,
        too_large_codes=(1006,),
        pushes_back=False,
        feels_slow_peers=False,
        shutdown_code=1006,
        always_ends_applications=False,
    ),
}
