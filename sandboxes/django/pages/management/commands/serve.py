"""`manage.py serve`: the project on a real ASGI server."""

import socket
import sys
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from pages.servers import run_daphne, run_uvicorn

# Any: the annotations of redis-py are incomplete.
_redis: Any = Redis
REDIS_TIMEOUT = 5.0


class Command(BaseCommand):
    """Serves the project until Ctrl+C or SIGTERM."""

    help = "Serve the project under daphne or uvicorn."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the server and its address."""
        parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne")
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to listen on (%(default)s)"
        )
        parser.add_argument(
            "--port", default=8081, type=int, help="port to listen on (%(default)s)"
        )

    # Any: options come as argparse made them.
    def handle(self, *args: Any, server: str, host: str, port: int, **options: Any) -> None:
        """Check what the server needs, then hand over to it."""
        layer = _describe_layer(settings.REDIS_URL)
        _check_port_is_free(host, port)
        if settings.DEBUG:  # elsewhere a deployment decides when
            call_command("migrate", verbosity=0)
        self.stdout.write(f"Channel layer: {layer}.")
        self.stdout.write(f"Site:          http://{host}:{port}")
        self.stdout.flush()
        (run_uvicorn if server == "uvicorn" else run_daphne)(host, port)


def _describe_layer(redis_url: str) -> str:
    """Say which layer is in use; CommandError when its server does not answer."""
    if not redis_url:
        return "in this process's memory (REDIS_URL is not set)"
    try:
        client = _redis.from_url(
            redis_url,
            socket_connect_timeout=REDIS_TIMEOUT,
            socket_timeout=REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise CommandError(
            "REDIS_URL is not the address of a Redis server: write it like redis://127.0.0.1:6379/0."
        ) from None
    address = client.connection_pool.connection_kwargs
    where = address.get("path") or f"{address.get('host', 'localhost')}:{address.get('port', 6379)}"
    with closing(client):
        try:
            client.ping()
        except (RedisError, OSError) as error:
            raise CommandError(f"REDIS_URL names {where}, which does not answer: {error}") from None
    return f"Redis at {where} (REDIS_URL)"


def _check_port_is_free(host: str, port: int) -> None:
    if not 0 < port < 65536:
        raise CommandError(f"A port is a number from 1 to 65535, not {port}.")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError:
        raise CommandError(f"{host} is not an address to listen on.") from None
    with closing(socket.socket(family)) as probe:
        if sys.platform != "win32":  # there it would allow to take a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise CommandError(
                f"Cannot listen on {host}:{port} ({reason}); choose another port with --port."
            ) from None
