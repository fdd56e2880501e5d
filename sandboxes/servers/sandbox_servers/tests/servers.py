"""The servers: how each is started, and where it behaves unlike the others."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "APPLICATIONS",
    "FILLS_ITS_QUEUE",
    "NOT_CLOSED",
    "SERVERS",
    "STAYS_FOR_A_HANDLER",
    "Server",
]

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
    """Daphne refuses to close with codes below 3000 other than 1000."""
    too_large_code: int | None = 1009
    """What a client sees that sends 20 MiB. Daphne drops the connection, hypercorn says nothing."""
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
    forgets_connections: bool = False
    """Hypercorn keeps a connection for ever whose application has ended with a full queue before it."""
    tells_of_failed_sends: bool = True
    """Daphne drops what is sent to a peer that has gone, without an error."""


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
        too_large_code=None,
        shutdown_code=1011,
        last_words="Traceback (most recent call last):\n",
        forgets_connections=True,
    ),
    "daphne": Server(
        _daphne,
        "Listening on TCP",
        sends_every_code=False,
        too_large_code=1006,
        pushes_back=False,
        feels_slow_peers=False,
        shutdown_code=1006,
        always_ends_applications=False,
        tells_of_failed_sends=False,
    ),
}

# What is wrong in the packages at present; tests that show it have to fail.
NOT_CLOSED = (
    "daphne raises when it is to close with 1009, 1011, 1012 or 1013; the engine takes that for a "
    "peer that has gone, and the connection stays open"
)
FILLS_ITS_QUEUE = (
    "the engine reads no more once it has closed a connection; hypercorn then waits for room in its "
    "queue for ever, and the TCP connection stays open"
)
STAYS_FOR_A_HANDLER = (
    "a peer that floods and then vanishes stays a member of its groups while its handler runs, "
    "although sending to it fails"
)
