"""An authenticator that does what the query string says."""

import asyncio

from chanx.core.authenticator import BaseAuthenticator
from chanx.type_defs import Scope
from chanx.utils.scope import query_params
from sandbox_servers.notes import note

__all__ = ["Gatekeeper"]


class Gatekeeper(BaseAuthenticator):
    """Decides after `delay` milliseconds: `?decision=admit`, `deny`, `raise`, or `hang` for never."""

    async def authenticate(self, scope: Scope) -> bool:
        """Decide."""
        query = query_params(scope)
        case, decision = query["case"][0], query["decision"][0]
        note(case, "asked")
        try:
            await asyncio.sleep(int(query["delay"][0]) / 1000)
            return await _decide(decision)
        except asyncio.CancelledError:
            note(case, "cancelled")
            raise


async def _decide(decision: str) -> bool:
    if decision == "raise":
        raise ValueError("secret")
    if decision == "hang":
        await asyncio.Event().wait()
    return decision == "admit"
