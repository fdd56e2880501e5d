"""The parts of the engine, each alone."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chanx.core._connection.sender import FrameSender
from chanx.core._runtime.queue import WorkQueue
from chanx.core.origin import is_allowed_origin, same_host
from chanx.utils.groups import is_group_name, safe_group_name
from chanx.utils.text import camel_case, snake_case


class Wire:
    """A server's send that waits while the peer does not read."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.reading = asyncio.Event()
        self.stalled = asyncio.Event()
        self.gone = 0

    async def send(self, event: Any) -> None:
        """Take one event."""
        await self.reading.wait()
        self.sent.append(event)

    def outbox(self, timeout: float | None = None) -> FrameSender:
        """Make an outbox that writes here."""
        return FrameSender(
            self.send,
            max_frames=2,
            max_bytes=100,
            timeout=timeout,
            on_stall=self.stalled.set,
            on_gone=lambda error: setattr(self, "gone", self.gone + 1),
        )


async def turns() -> None:
    """Let every ready task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_line_keeps_order_and_bound() -> None:
    """Items are handled in order, one at a time, and `limit` of them wait."""
    gate, handled = asyncio.Event(), list[int]()

    async def handle(item: int) -> None:
        await gate.wait()
        handled.append(item)

    line = WorkQueue[int](handle, width=1, limit=2)
    line.put(0)
    assert line.tasks == frozenset()
    line.open()
    await turns()
    line.put(1)
    line.put(2)
    assert line.is_full
    waiting = asyncio.ensure_future(line.room())
    await turns()
    assert not waiting.done()
    gate.set()
    await waiting
    await turns()
    assert handled == [0, 1, 2]
    assert line.is_idle
    assert line.tasks == frozenset()


async def test_line_that_is_cleared_takes_nothing_more_on() -> None:
    """What runs goes on, what waits is forgotten."""
    gate, handled = asyncio.Event(), list[int]()

    async def handle(item: int) -> None:
        await gate.wait()
        handled.append(item)

    line = WorkQueue[int](handle, width=1, limit=9)
    line.open()
    for item in range(3):
        line.put(item)
    await turns()
    line.clear()
    gate.set()
    await turns()
    assert handled == [0]
    assert line.is_idle


async def test_outbox_queues_behind_a_slow_write() -> None:
    """Frames keep their order; a sender waits when the queue is full."""
    wire = Wire()
    outbox = wire.outbox()
    senders = [asyncio.ensure_future(outbox.send({"text": str(number)})) for number in range(5)]
    await turns()
    assert [sender.done() for sender in senders] == [False, True, True, False, False]
    wire.reading.set()
    await asyncio.gather(*senders)
    await outbox.flush()
    assert [event["text"] for event in wire.sent] == ["0", "1", "2", "3", "4"]
    await outbox.ended()


@pytest.mark.parametrize(
    "frame",
    [{"bytes": b"x" * 40}, {"text": "x" * 40}, {"text": "ä" * 20}],
    ids=["binary", "ascii", "utf-8"],
)
async def test_outbox_counts_bytes(frame: dict[str, Any]) -> None:
    """Of binary frames too, and of text as it travels: two of 40 bytes wait where 100 may, not three."""
    wire = Wire()
    outbox = FrameSender(
        wire.send,
        max_frames=9,
        max_bytes=100,
        timeout=None,
        on_stall=wire.stalled.set,
        on_gone=lambda error: None,
    )
    senders = [asyncio.ensure_future(outbox.send({**frame})) for _ in range(4)]
    await turns()
    assert [sender.done() for sender in senders] == [False, True, True, False]
    wire.reading.set()
    await asyncio.gather(*senders)
    await outbox.ended()


async def test_outbox_reports_a_stalled_peer() -> None:
    """A write that takes too long is told once; closing lets every sender go."""
    wire = Wire()
    outbox = wire.outbox(timeout=0.02)
    senders = [asyncio.ensure_future(outbox.send({"text": "x"})) for _ in range(5)]
    await asyncio.wait_for(wire.stalled.wait(), 1)
    outbox.close()
    _, pending = await asyncio.wait(senders, timeout=0.1)
    assert len(pending) == 1  # the one whose write the server still holds
    wire.reading.set()
    await asyncio.gather(*senders)
    await outbox.ended()


async def test_outbox_notes_that_the_peer_has_gone() -> None:
    """A send after the peer has left is no error of the sender."""
    wire = Wire()

    async def send(event: Any) -> None:
        raise ConnectionResetError

    wire.send = send  # type: ignore[method-assign]
    outbox = wire.outbox()
    await outbox.send({"text": "x"})
    await outbox.send({"text": "y"})
    assert wire.gone == 1
    await outbox.ended()


@pytest.mark.parametrize(("code", "sent"), [(1009, 4009), (1013, 4013), (1000, None), (4008, None)])
async def test_close_code_that_the_server_refuses(code: int, sent: int | None) -> None:
    """A code of the protocol's own range is sent again from the private one."""
    wire = Wire()

    async def send(event: Any) -> None:
        if event["code"] < 3000 or sent is None:
            raise ValueError("invalid close code")
        wire.sent.append(event["code"])

    wire.send = send  # type: ignore[method-assign]
    outbox = wire.outbox()
    await outbox.send({"type": "websocket.close", "code": code}, last=True)
    assert wire.sent == ([] if sent is None else [sent])
    await outbox.ended()


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_group_names_are_injective_and_valid(one: list[str], other: list[str]) -> None:
    """Two different lists of texts never share a name, and every layer takes each name."""
    first, second = safe_group_name(*one), safe_group_name(*other)
    assert (first == second) == (one == other)
    assert 0 < len(first) < 100
    assert first.replace("-", "a").replace("_", "a").replace(".", "a").isalnum()
    assert first.isascii()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a b",), ("a-b",)),
        (("日本",), ("é",)),
        (("",), ("_",)),
        (("a", "b"), ("a.b",)),
        (("a", "", "b"), ("a", "b")),
    ],
)
def test_similar_names_differ(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """Names that used to collide elsewhere."""
    assert safe_group_name(*one) != safe_group_name(*other)


def test_namespaced_group_names() -> None:
    """A namespace is no first part."""
    assert safe_group_name("b", namespace="a") != safe_group_name("a", "b")
    assert safe_group_name("b", namespace="a") != safe_group_name("a", "", "b")
    assert safe_group_name("room", 5) == "room.5"
    with pytest.raises(ValueError, match="at least one part"):
        safe_group_name()


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("example.com", "https://example.com", True),
        ("example.com:8000", "http://example.com:8000", True),
        ("example.com:8000", "http://example.com:9000", False),
        ("example.com", "http://example.com:9000", False),
        ("localhost:8000", "http://localhost:3000", True),
        ("127.0.0.1:8000", "http://localhost:8000", False),
        ("example.com", "https://evil-example.com", False),
        ("example.com", "null", False),
        ("example.com", "https://example.com:bad", False),
    ],
)
def test_same_host(host: str, origin: str, allowed: bool) -> None:
    """The default policy compares hosts, and ports except on loopback."""
    scope = {"headers": [(b"host", host.encode()), (b"origin", origin.encode())]}
    assert is_allowed_origin(same_host, scope) is allowed


def test_spelling() -> None:
    """Names of classes and fields in the two cases."""
    assert [snake_case(name) for name in ("MyWebSocket", "HTTPServer", "M", "ChatMessage")] == [
        "my_web_socket",
        "http_server",
        "m",
        "chat_message",
    ]
    assert [camel_case(name) for name in ("user_name", "_private_name", "a_1_b", "plain")] == [
        "userName",
        "_privateName",
        "a1B",
        "plain",
    ]


@pytest.mark.parametrize("name", [5, None, "", "x" * 100, "a b", "é"])
def test_other_values_are_no_group_names(name: object) -> None:
    """Channel layers refuse them."""
    assert not is_group_name(name)
    assert is_group_name(safe_group_name(name))
