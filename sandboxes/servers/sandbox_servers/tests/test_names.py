"""Names of groups that clients choose."""

import pytest

from sandbox_servers.tests.peers import ask, client, close_code
from sandbox_servers.tests.served import Served

# In the spelling of a query string: a space, a null byte, an emoji, what no UTF-8 is, a channel, too long, empty.
REFUSED = ["a%20b", "%00", "%F0%9F%98%80", "%ff", "a!b", "x" * 300, ""]


@pytest.mark.logs("Error while connecting")
async def test_name_that_the_layer_refuses_harms_nobody_else(served: Served, case: str) -> None:
    """Whoever asks for one is closed with 1011 (4011 by daphne); the others are served as before.

    The layer is not taken for failed, neither now nor by those who come when everybody has left.
    """
    async with client(served.url("queue", case=case)) as member:
        for name in REFUSED:
            async with client(served.url("queue", case=name)) as peer:
                assert await close_code(peer) == served.server.code(1011)
        assert (await ask(member, "say", "hello"))["action"] == "say"
    for _ in range(2):
        await served.until(lambda state: state["connections"] == 0)
        async with client(served.url("queue", case=case)) as peer:
            assert (await ask(peer, "say", "hello"))["action"] == "say"
