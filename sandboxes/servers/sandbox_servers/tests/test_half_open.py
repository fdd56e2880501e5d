"""Clients that vanish without FIN or RST, on servers that send no pings."""

import pytest

from sandbox_servers.tests.conftest import STACKS
from sandbox_servers.tests.eventually import eventually
from sandbox_servers.tests.peers import RawPeer, client, frame
from sandbox_servers.tests.served import Served, serving
from sandbox_servers.tests.valkey import Valkey

# Hypercorn sends none by default.
WITHOUT_PINGS = {
    "uvicorn": ("--ws-ping-interval", "3600"),
    "wsproto": ("--ws-ping-interval", "3600"),
    "hypercorn": (),
    "daphne": ("--ping-interval", "3600"),
}


@pytest.mark.parametrize(("server", "application"), STACKS)
@pytest.mark.parametrize("room", ["queue", "pubsub"])
async def test_heartbeat_finds_half_open_connections(
    server: str, application: str, room: str, valkey: Valkey, case: str
) -> None:
    """With `?heartbeat=1` a vanished client leaves within 5 s; without, it stays until a message is sent to it."""
    found, kept = f"{case}.found", f"{case}.kept"

    def has_members(group: str) -> bool:
        return valkey.members(application, group) > 0

    with serving(server, application, valkey.url, *WITHOUT_PINGS[server]) as served:
        await vanish(served, served.url(room, case=kept), connections=1)
        await vanish(served, served.url(room, case=found, heartbeat=1), connections=2)

        await served.until(lambda state: state["connections"] == 1)
        await eventually(lambda: not has_members(found), within=5)
        assert has_members(kept)

        async with client(served.url(room, case=kept)) as peer:
            await peer.send(frame("say", "hello"))
            await served.until(lambda state: state["connections"] == 1)
        await eventually(lambda: not has_members(kept), within=5)
        assert not served.trouble()


async def vanish(served: Served, url: str, connections: int) -> None:
    """Connect as one of so many, and vanish once the server has admitted the client."""
    async with RawPeer.open(url) as peer:
        peer.write(peer.text(frame("ping")))
        await peer.frames(1)
        try:
            peer.vanish()
        except OSError as error:
            pytest.skip(f"a connection cannot be forgotten here: {error}")
    assert (await served.state())["connections"] == connections
