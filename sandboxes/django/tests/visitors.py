"""People who come to a running site, over HTTP and WebSockets."""

import asyncio
import json
import urllib.request
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.people import PASSWORD
from tests.support import Served, finished_with

__all__ = ["Visitor", "make_accounts", "receive_until"]

TIME_LIMIT = 30.0


@dataclass
class Visitor:
    """Somebody with an account and a token."""

    served: Served
    token: str

    @classmethod
    async def log_in(cls, served: Served, name: str) -> Self:
        """Get a token for an account."""
        body = {"username": name, "password": PASSWORD}
        answer = await post(f"{served.http}/api/token/", body)
        return cls(served, answer["access"])

    async def post(self, path: str, **body: Any) -> Any:
        """Send something to the REST API and return its answer."""
        return await post(f"{self.served.http}{path}", body, self.token)

    def connect(self, path: str) -> AbstractAsyncContextManager[ClientConnection]:
        """Open a WebSocket with the token behind a subprotocol, as a page would."""
        offered = [Subprotocol("bearer"), Subprotocol(self.token)]
        return connect(f"{self.served.ws}{path}", subprotocols=offered, proxy=None)


async def make_accounts(served: Served, *names: str) -> None:
    """Make accounts in the database of a running site."""
    making = "User.objects.create_user({name!r}, password={password!r})"
    lines = [making.format(name=name, password=PASSWORD) for name in names]
    imported = "from django.contrib.auth.models import User"
    await finished_with("\n".join([imported, *lines]), served.environment)


async def post(url: str, body: dict[str, Any], token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)

    def send() -> Any:
        with urllib.request.urlopen(request, timeout=TIME_LIMIT) as answer:
            return json.load(answer)

    return await asyncio.to_thread(send)


async def receive_until(client: ClientConnection, action: str) -> list[dict[str, Any]]:
    """Return the frames up to the first one with that action."""
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(TIME_LIMIT):
        while not frames or frames[-1]["action"] != action:
            frames.append(json.loads(await client.recv()))
    return frames
