"""A peer that does not read costs its server a bounded time."""

import pytest

from sandbox_servers.tests.peers import RawPeer, frame
from sandbox_servers.tests.served import Served, serving
from sandbox_servers.tests.servers import APPLICATIONS
from sandbox_servers.tests.valkey import Valkey

KIB = 1024
SMALL_BUFFER = 4 * KIB
SEND_TIMEOUT = 1.0  # of the consumer
GRACE = 0.5  # of the consumer

# Until the buffers of both TCP stacks are full, nobody can know that the peer does not read: seconds
# that 2.5 MB of them take, and as much again where the machine is busy.
SLOWLY, QUICKLY = (2 * KIB, 16.0), (32 * KIB, 1.0)
RATE = 200


async def test_peer_that_never_reads_is_closed(served: Served, case: str, soak: bool) -> None:
    """Peer that never reads (2 KB x 200/s in a soak run, else 32 KB): closed within `send_timeout`."""
    if not served.server.feels_slow_peers:
        pytest.skip("a send never waits on this server; see the test with pings")
    size, filling = SLOWLY if soak else QUICKLY
    async with RawPeer.open(served.url("impatient", case=case), SMALL_BUFFER) as peer:
        peer.write(peer.text(frame("stream", {"size": size, "rate": RATE})))

        patience = filling + SEND_TIMEOUT + GRACE + 2
        state = await served.until(lambda state: state["connections"] == 0, case, patience)

    assert state["notes"] == ["began", "cancelled", "closed 4008"]


async def test_peer_that_sends_and_never_reads_is_closed(served: Served, case: str) -> None:
    """Its answers are what fills the buffers; then it is not read any more, and closed."""
    if not served.server.feels_slow_peers or served.server.forgets_floods:
        pytest.skip("this server buffers without bounds, or keeps the TCP connection for ever")
    question = frame("number", 1, ref="x" * 60)
    async with RawPeer.open(served.url("impatient", case=case), SMALL_BUFFER) as peer:
        peer.write(peer.text(question) * 100_000)

        state = await served.until(lambda state: state["connections"] == 0, case, within=15)

    assert state["notes"][-1] == "closed 4008"


@pytest.mark.parametrize("application", APPLICATIONS)
async def test_daphne_closes_by_its_pings(application: str, valkey: Valkey, case: str) -> None:
    """Daphne buffers whatever is sent, but a peer that does not read answers no ping either."""
    # By default 20 and 30 s; daphne looks at the clock every 2 s.
    pings = ("--ping-interval", "1", "--ping-timeout", "1")
    with serving("daphne", application, valkey.url, *pings) as served:
        async with RawPeer.open(served.url("impatient", case=case), SMALL_BUFFER) as peer:
            peer.write(peer.text(frame("stream", {"size": 2 * KIB, "rate": RATE})))
            state = await served.until(lambda state: state["connections"] == 0, case, 10)

    assert state["notes"][:2] == ["began", "cancelled"]
    assert not served.trouble()
