"""Who is not let in reaches no handler; who is, is served in order."""

import asyncio
import time

import pytest

from sandbox_servers.tests.peers import TIME_LIMIT, RawPeer, client, close_code, frame
from sandbox_servers.tests.served import Served

DELAYS = (0, 20, 300)
PIPELINED = 5
MORE = 100  # than a line and the queues of the servers hold
PEERS = 14  # for each delay: 14 * 3 * 5 frames


async def denied(
    served: Served,
    case: str,
    decision: str,
    delay: int,
    frames: int = PIPELINED,
    within: float = TIME_LIMIT,
) -> int | None:
    """Write frames right behind the answer to the handshake, and return the close code."""
    url = served.url("gate", case=case, decision=decision, delay=delay)
    async with RawPeer.open(url) as peer:
        peer.write(b"".join(peer.text(frame("number", n)) for n in range(frames)))
        return await peer.close_code(within)


@pytest.mark.logs("Error while authenticating")
@pytest.mark.parametrize(("decision", "code"), [("deny", 4401), ("raise", 4500), ("hang", 4408)])
async def test_denied_client_reaches_no_handler(
    served: Served, case: str, decision: str, code: int
) -> None:
    """Deny gate: 5 frames pipelined immediately behind the 101, authenticator delays 0, 20 and 300 ms.

    Whether it says no, raises or takes too long: handler executions 0 of 210.
    """
    peers = [denied(served, case, decision, delay) for delay in DELAYS for _ in range(PEERS)]

    assert await asyncio.gather(*peers) == [code] * len(peers)
    noted = (await served.state(case))["notes"]
    assert noted.count("asked") == len(peers)
    assert set(noted) <= {"asked", "cancelled"}


async def test_denied_client_that_sends_more_is_let_go(served: Served, case: str) -> None:
    """However much it has sent, its TCP connection is closed, and nothing of it stays.

    It has time to send: hypercorn keeps whoever goes on behind the close.
    """
    assert await denied(served, case, "deny", delay=300, frames=MORE) == 4401
    assert (await served.state(case))["notes"] == ["asked"]


@pytest.mark.parametrize("delay", DELAYS)
async def test_admitted_frames_are_handled_in_order(served: Served, case: str, delay: int) -> None:
    """Frames during pending authentication that succeeds: all delivered, in order, after the hook.

    More of them than may wait in a line.
    """
    number = 100
    url = served.url("gate", case=case, decision="admit", delay=delay)
    async with RawPeer.open(url) as peer:
        peer.write(b"".join(peer.text(frame("number", n)) for n in range(number)))
        answers = await peer.frames(number)

    assert [answer["payload"] for answer in answers] == list(range(number))
    state = await served.until(lambda state: state["connections"] == 0, case)
    assert state["notes"][:-1] == ["asked", "admitted", *map(str, range(number))]


@pytest.mark.logs("Error while authenticating")
async def test_crash_of_the_authenticator_stays_a_secret(served: Served, case: str) -> None:
    """Authenticator raises: close 4500, no traceback to the client, one log record."""
    began = len(served.program.lines)
    async with RawPeer.open(served.url("gate", case=case, decision="raise", delay=0)) as peer:
        assert await peer.frames(1) == []
        assert await peer.close_code() == 4500

    await served.until(lambda state: state["connections"] == 0)
    told = [line for line in (await served.written())[began:] if "secret" in line]
    assert len(told) == 1
    assert "Error while authenticating" in told[0]


async def test_authenticator_that_hangs_is_cut_off(served: Served, case: str) -> None:
    """Authenticator hangs: closed 4408 at its time limit, which is one second here, +/- 0.5."""
    async with client(served.url("gate", case=case, decision="hang", delay=0)) as peer:
        began = time.monotonic()
        assert await close_code(peer) == 4408
        assert 0.5 < time.monotonic() - began < 1.5


async def test_leaving_ends_a_pending_authentication(served: Served, case: str) -> None:
    """A client that leaves in the middle of authentication cancels it, long before its time limit."""
    async with RawPeer.open(served.url("gate", case=case, decision="hang", delay=0)) as peer:
        await served.until(lambda state: "asked" in state["notes"], case)
        peer.abort()

        await served.until(lambda state: "cancelled" in state["notes"], case, within=0.5)


@pytest.mark.logs("Error while connecting")
async def test_failure_after_authentication_closes(served: Served) -> None:
    """The hook after authentication raises: close 1011 (4011 by daphne), and not a word to the client."""
    async with RawPeer.open(served.url("broken")) as peer:
        assert await peer.close_code(within=5) == served.server.code(1011)
