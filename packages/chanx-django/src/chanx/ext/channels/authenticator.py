"""The authenticator of `chanx.channels.authenticator`."""

from chanx.channels.authenticator import (
    AuthActionInterceptMixin,
    ChanxAuthView,
    ChanxSerializer,
    DjangoAuthenticator,
)
from chanx.core import _guard as _guard

__all__ = [
    "AuthActionInterceptMixin",
    "ChanxAuthView",
    "ChanxSerializer",
    "DjangoAuthenticator",
]
