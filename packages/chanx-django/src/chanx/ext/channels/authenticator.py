"""The authenticator of `chanx.channels.authenticator`."""

from chanx.channels.authenticator import (
    AuthActionInterceptMixin,
    ChanxAuthView,
    ChanxSerializer,
    DjangoAuthenticator,
)

__all__ = [
    "AuthActionInterceptMixin",
    "ChanxAuthView",
    "ChanxSerializer",
    "DjangoAuthenticator",
]
