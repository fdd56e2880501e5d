"""What clients show to the authentication classes of Django REST framework, for documents."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.conf import settings
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from chanx.channels._awaiting import awaited
from chanx.core.authenticator import Credential

__all__ = ["DeclaredCredentials"]


class DeclaredCredentials:
    """The `credentials` of an authenticator class that names none: what its classes look at.

    Where everybody may connect there are none: a document says that one of them is needed.
    """

    # Any: an authenticator class, which this module cannot import, and its view.
    def __get__(self, instance: object, owner: Any) -> tuple[Credential, ...]:
        """Look at the classes now: a project's settings may say which."""
        view: Any = owner.auth_view_class
        own_permissions, own_authentication = owner.permission_classes, owner.authentication_classes
        permissions = view.permission_classes if own_permissions is None else own_permissions
        if all(permission is AllowAny for permission in permissions):
            return ()
        found = view.authentication_classes if own_authentication is None else own_authentication
        return tuple(_credentials(found))


def _credentials(classes: Sequence[type[BaseAuthentication]]) -> Iterator[Credential]:
    if any(issubclass(one, SessionAuthentication) for one in classes):
        yield Credential(settings.SESSION_COOKIE_NAME, "cookie", "The session of this site")
    schemes = [scheme for one in classes if (scheme := _scheme(one)) is not None]
    if schemes:
        named = " or ".join(f"`{scheme}`" for scheme in dict.fromkeys(schemes))
        yield Credential("Authorization", "header", f"{named}, followed by the credentials")


def _scheme(authentication: type[BaseAuthentication]) -> str | None:
    """Return the first word of what a class asks clients for in the header, such as `Bearer`."""
    try:
        # Classes that look into the request there have none to look into.
        asked = authentication().authenticate_header(cast(Request, None))
        challenge: str | None = awaited(asked)
    except Exception:
        return None
    return challenge.partition(" ")[0] if challenge else None
