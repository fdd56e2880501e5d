"""Which pages may open WebSockets, by ALLOWED_HOSTS."""

from typing import Any

import pytest
from django.test import override_settings

from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing import WebsocketCommunicator

HOST = "shop.example"


async def is_accepted(
    origin: str | None, host: str = HOST, forwarded: str | None = None, **attributes: Any
) -> bool:
    """Tell whether a page may connect to a host."""
    consumer: Any = type("OriginConsumer", (AsyncJsonWebsocketConsumer,), attributes)
    headers = {"host": host, "origin": origin, "x-forwarded-host": forwarded}
    sent = [(name.encode(), value.encode()) for name, value in headers.items() if value is not None]
    ws = WebsocketCommunicator(consumer.as_asgi(), "/ws/", sent, consumer=consumer)
    was_accepted, _ = await ws.connect()
    await ws.disconnect()
    return was_accepted


@pytest.mark.parametrize("hosts", [["*"], ["*", "partner.example"], ["partner.example", "*"]])
@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://shop.example", True),
        ("http://SHOP.example", True),
        ("https://evil.example", False),
        ("https://shop.example.evil.test", False),
        ("https://shop.example@evil.test", False),
        ("https://shop.example:8443", False),
        ("null", False),
        ("file://", False),
        ("", False),
        (None, True),
    ],
)
async def test_any_host_is_not_any_origin(
    hosts: list[str], origin: str | None, expected: bool
) -> None:
    with override_settings(ALLOWED_HOSTS=hosts):
        assert await is_accepted(origin) is expected


async def test_hosts_that_are_named_beside_any_host() -> None:
    with override_settings(ALLOWED_HOSTS=["*", ".partner.example"]):
        assert await is_accepted("https://www.partner.example")
        assert not await is_accepted("https://www.other.example")


@pytest.mark.parametrize("host", ["null", "", "*"])
async def test_a_page_without_an_origin(host: str) -> None:
    """A sandboxed frame sends `null`, which never matches a host."""
    with override_settings(ALLOWED_HOSTS=["*"]):
        assert not await is_accepted("null", host)


async def test_any_host_in_front_of_a_proxy() -> None:
    """The forwarded host counts with `USE_X_FORWARDED_HOST`, as in `request.get_host()`."""
    with override_settings(ALLOWED_HOSTS=["*"]):
        assert not await is_accepted("https://shop.example", "inside:8000", HOST)
    with override_settings(ALLOWED_HOSTS=["*"], USE_X_FORWARDED_HOST=True):
        assert await is_accepted("https://shop.example", "inside:8000", HOST)
        assert await is_accepted("https://shop.example", HOST)
        assert not await is_accepted("https://inside:8000", "inside:8000", HOST)


async def test_every_origin_is_allowed_by_name_only() -> None:
    with override_settings(ALLOWED_HOSTS=[]):
        assert await is_accepted("https://evil.example", allowed_origins=None)
        assert not await is_accepted("https://evil.example")


async def test_hosts_by_name() -> None:
    with override_settings(ALLOWED_HOSTS=[HOST]):
        assert await is_accepted("https://shop.example:8443", "api.example")
        assert not await is_accepted("https://api.example", "api.example")
        assert not await is_accepted("null")


@pytest.mark.parametrize(("is_debug", "expected"), [(True, True), (False, False)])
async def test_no_hosts(is_debug: bool, expected: bool) -> None:
    with override_settings(ALLOWED_HOSTS=[], DEBUG=is_debug):
        assert await is_accepted("http://localhost:5173", "127.0.0.1:8000") is expected
        assert not await is_accepted("http://evil.example", "127.0.0.1:8000")
