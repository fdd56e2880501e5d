"""How connections and requests say who they belong to."""

from typing import Any

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

__all__ = ["SUBPROTOCOL", "TokenAuthentication"]

# A page cannot set headers of a WebSocket, but it can offer subprotocols: new WebSocket(url, ["bearer", token]).
SUBPROTOCOL = "bearer"


# Any: the framework's types know more kinds of requests than there are here.
class TokenAuthentication(JWTAuthentication):
    """A JSON Web Token, in the Authorization header or behind the subprotocol `bearer`."""

    def get_header(self, request: Any) -> bytes:
        """Return `Bearer <token>`, wherever it came from; nothing for none."""
        return super().get_header(request) or _offered(request)


def _offered(request: Request) -> bytes:
    offered = [
        word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    ]
    if len(offered) != 2 or offered[0] != SUBPROTOCOL:
        return b""
    return f"Bearer {offered[1]}".encode()
