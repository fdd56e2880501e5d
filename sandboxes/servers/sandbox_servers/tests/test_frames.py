"""Frames that are no messages, and frames that are too large."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from sandbox_servers.tests.peers import RawPeer, ask, client, close_code, frame, receive
from sandbox_servers.tests.served import Served

KIB = 1024
MIB = 1024 * KIB
LIMIT = 64 * KIB

INVALID_UTF8 = Frame(Opcode.TEXT, b"\xff").serialize(mask=True)
# What RFC 6455 forbids; the masks are of zeros.
FORBIDDEN = {
    "a reserved bit": b"\xc1\x81\0\0\0\0x",
    "an unknown kind": b"\x83\x81\0\0\0\0x",
    "no mask": b"\x81\x01x",
    "a ping of 126 bytes": b"\x89\xfe\0\x7e\0\0\0\0" + b"x" * 126,
    "half a ping": b"\x09\x81\0\0\0\0x",
    "the end of nothing": b"\x80\x81\0\0\0\0x",
    "a text in a text": b"\x01\x81\0\0\0\0x\x81\x81\0\0\0\0x",
    "half a close code": b"\x88\x81\0\0\0\0x",
    "a close code of nobody": b"\x88\x82\0\0\0\0\x03\xe7",
    "a length of 2^63": b"\x81\xff\x80\0\0\0\0\0\0\0\0\0\0\0x",
    "HTTP": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}
# Messages whose end never comes: one announced, and one in pieces.
UNFINISHED = {
    "a long frame": b"\x81\xfe\xff\xff\0\0\0\0{",
    "fragments": b"\x01\x81\0\0\0\0{" + b"\x00\x81\0\0\0\0 " * 1000,
}
# What the client sends, and the type of the error that it is answered by.
BAD_FRAMES: list[tuple[str | bytes, str]] = [
    ("7", "dict_type"),
    ("1.5", "dict_type"),
    ('"ping"', "dict_type"),
    ("true", "dict_type"),
    ("null", "dict_type"),
    ("[]", "dict_type"),
    ("{}", "union_tag_not_found"),
    ("", "json_invalid"),
    (" \n\t", "json_invalid"),
    ("\ufeff{}", "json_invalid"),
    ("{bad", "json_invalid"),
    ("NaN", "json_invalid"),
    (frame("wait", "nan"), "finite_number"),
    (frame("wait", "1e999"), "finite_number"),
    ('{"action": "number", "payload": 1e400}', "json_invalid"),
    ('{"action": "say", "payload": "\\ud800"}', "json_invalid"),
    ("[" * 30_000 + "]" * 30_000, "too_deep"),
    (b"", "json_invalid"),
    (b"\x00\xff", "json_invalid"),
    (frame("ping").encode(), "json_invalid"),
]


async def test_bad_frames_get_one_error_each(served: Served, case: str) -> None:
    """JSON scalars, array, null, empty, whitespace, BOM, invalid; binary and empty binary frames.

    Each: exactly one error frame, stable code, at most 4 KiB, alive: a ping is answered within 100 ms.
    """
    async with client(served.url("work", case=case)) as peer:
        for bad, kind in BAD_FRAMES:
            await peer.send(bad)
            answer = await receive(peer)
            assert [error["type"] for error in answer["payload"]] == [kind], bad
            assert len(json.dumps(answer)) <= 4 * KIB
            assert await ping_time(peer) < 0.1


async def ping_time(peer: Any) -> float:
    """Return the seconds to an answer; the better of two, as the machine may be busy."""
    times: list[float] = []
    for _ in range(2):
        began = time.monotonic()
        assert (await ask(peer, "ping"))["action"] == "pong"
        times.append(time.monotonic() - began)
    return min(times)


@pytest.mark.logs("Invalid UTF-8|^Traceback")  # of uvicorn, which reports it as an error of its own
async def test_text_that_is_no_utf8_ends_the_connection(served: Served, case: str) -> None:
    """A text frame that is not UTF-8 violates the protocol: the server itself closes, no handler runs."""
    async with RawPeer.open(served.url("work", case=case)) as peer:
        peer.write(INVALID_UTF8 + peer.text(frame("number", 1)))

        # 1007, unless the reset of the TCP connection that follows it is faster.
        assert await peer.close_code() in (1007, 1006)

    state = await served.until(lambda state: state["connections"] == 0, case)
    assert "1" not in state["notes"]


@pytest.mark.parametrize("bad", FORBIDDEN.values(), ids=FORBIDDEN)
async def test_what_the_protocol_forbids_ends_the_connection(
    served: Served, case: str, bad: bytes
) -> None:
    """The server closes with the code of the protocol, or drops TCP; nothing behind it is handled."""
    async with RawPeer.open(served.url("work", case=case)) as peer:
        peer.write(bad + peer.text(frame("number", 1)))

        assert await peer.close_code() in (1002, 1006, 1009)

    state = await served.until(lambda state: state["connections"] == 0, case)
    assert "1" not in state["notes"]


@pytest.mark.parametrize("start", UNFINISHED.values(), ids=UNFINISHED)
async def test_message_without_an_end_leaves_nothing(
    served: Served, case: str, start: bytes
) -> None:
    """A peer that vanishes in the middle of a message is gone, and nothing was handled."""
    async with RawPeer.open(served.url("queue", case=case)) as peer:
        peer.write(peer.text(frame("number", 1)) + start)
        assert await peer.frames(1) == [{"action": "number", "payload": 1}]

    state = await served.until(lambda state: state["connections"] == 0, case)
    assert state["notes"][0] == "1"
    assert len(state["notes"]) == 2  # and how it was closed


@pytest.mark.parametrize("text", [frame("number", 1), frame("number", 1, x="\u20ac" * 1000)])
async def test_largest_frame_is_handled(served: Served, case: str, text: str) -> None:
    """64 KiB of UTF-8, however many characters these are."""
    padding = " " * (LIMIT - len(text.encode()))
    async with client(served.url("work", case=case)) as peer:
        await peer.send(text + padding)
        assert (await receive(peer))["payload"] == 1


@pytest.mark.parametrize("size", [LIMIT + 1, MIB], ids=["64KiB+1", "1MiB"])
async def test_larger_frame_closes(served: Served, case: str, size: int) -> None:
    """64 KiB + 1 and 1 MiB: closed with 1009 (4009 by daphne), and what came behind is not handled."""
    async with client(served.url("work", case=case)) as peer:
        await peer.send(frame("number", 1).ljust(size))
        await peer.send(frame("number", 2))
        assert await close_code(peer, within=2) == served.server.code(1009)

    state = await served.until(lambda state: state["connections"] == 0, case)
    assert state["notes"] == ["closed 1009"]


async def test_frame_over_the_limit_of_the_server_closes(served: Served, case: str) -> None:
    """20 MiB never reach us; each server has an answer of its own, and the handler does not run."""
    async with client(served.url("work", case=case), write_limit=2**25) as peer:
        with suppress(ConnectionClosed):
            await peer.send(frame("number", 1).ljust(20 * MIB))
        with suppress(TimeoutError):
            await close_code(peer, within=0.5)
        assert peer.close_code in served.server.too_large_codes

    state = await served.until(lambda state: state["connections"] == 0, case)
    assert "1" not in state["notes"]
