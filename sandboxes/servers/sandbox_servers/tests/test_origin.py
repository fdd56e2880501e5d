"""Which web pages may open a connection, over real handshakes."""

from http import HTTPStatus

import pytest
from websockets.exceptions import InvalidStatus

from sandbox_servers.tests.peers import ask, client
from sandbox_servers.tests.served import Served

# Origin of the page, and whether it may talk to http://example.com:8000: the same host with its port
# on ASGI applications, any of the ALLOWED_HOSTS on Django.
ORIGINS = [
    (None, {"starlette": True, "django": True}),
    ("http://example.com:8000", {"starlette": True, "django": True}),
    ("http://example.com:9000", {"starlette": False, "django": True}),
    ("http://example.com", {"starlette": False, "django": True}),
    ("http://evil-example.com", {"starlette": False, "django": False}),
    ("http://example.com.evil.org:8000", {"starlette": False, "django": False}),
    ("https://other.org", {"starlette": False, "django": False}),
    ("null", {"starlette": False, "django": False}),
]


async def admits(served: Served, case: str, address: str, origin: str | None) -> bool:
    """Connect as a page of that origin would, and use the connection."""
    try:
        url = f"ws://{address}/ws/work?case={case}"
        async with client(url, origin, host="127.0.0.1", port=served.port) as peer:
            return (await ask(peer, "number", 1))["payload"] == 1
    except InvalidStatus as refusal:
        if refusal.response.status_code != HTTPStatus.FORBIDDEN:
            raise
        return False


@pytest.mark.parametrize(("origin", "allowed"), ORIGINS, ids=lambda value: str(value)[:32])
async def test_origin_decides_before_the_handshake_is_accepted(
    served: Served, case: str, origin: str | None, allowed: dict[str, bool]
) -> None:
    """Origin matrix: none, same, other, null, port differs, suffix trick. A refusal is HTTP 403."""
    expected = allowed[served.application]

    assert await admits(served, case, "example.com:8000", origin) is expected
    assert ("1" in (await served.state(case))["notes"]) is expected


async def test_ports_are_not_compared_on_this_machine(served: Served, case: str) -> None:
    """A page of a development server on another port may connect."""
    assert await admits(served, case, f"127.0.0.1:{served.port}", "http://127.0.0.1:1")
