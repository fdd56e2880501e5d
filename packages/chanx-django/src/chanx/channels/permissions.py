"""Permission classes of Django REST framework before each message: `@ws_handler(guards=[IsMember])`."""

import inspect
from collections.abc import Iterable
from copy import copy
from functools import cached_property as CachedProperty  # noqa: N812 - Django has one of that name, too
from typing import TYPE_CHECKING, Any

from django.db.models import Model, ObjectDoesNotExist
from django.utils.functional import cached_property

from chanx.channels._database import in_database_thread
from chanx.channels._request import http_request
from chanx.core.guards import DeniedError, Guard
from chanx.messages.base import BaseMessage

try:
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.exceptions import APIException, NotAuthenticated, NotFound, PermissionDenied
    from rest_framework.parsers import JSONParser
    from rest_framework.permissions import OperandHolder, SingleOperandHolder
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from chanx.channels._rest_awaiting import awaiting
    from chanx.channels.authenticator import ChanxAuthView, DjangoAuthenticator
except ModuleNotFoundError as _error:
    if (_error.name or "").partition(".")[0] != "rest_framework":
        raise
    raise ImportError(
        'Permission classes need Django REST framework: pip install "chanx-django[drf]"'
    ) from _error

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["PermissionGuard", "permission_guard"]


class PermissionGuard(Guard):
    """Asks one permission class about each message, as a REST view would about a POST request.

    The request's data is the message; `view.consumer` and `view.message` are at hand, `view.kwargs` has what the
    route captured, and the parameters of the topic. User and object are read from the database anew, so what was taken
    away from somebody is noticed while the connection lasts. Object permissions are asked for the object that the
    authenticator found.
    """

    # Any: a permission class, or an expression of them, which the framework's types call otherwise.
    def __init__(self, permission: Any) -> None:
        self.permission = permission

    async def check(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage
    ) -> None:
        """Raise DeniedError with the code and the text of the permission."""
        try:
            await in_database_thread(self._ask, consumer, message)
        except APIException as error:
            codes = error.get_codes()
            code = codes if isinstance(codes, str) else error.default_code
            raise DeniedError(code, _text(error.detail)) from None

    def _ask(self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage) -> None:
        view, found = _view_of(consumer, message)
        permission = awaiting(self.permission())
        view.permission_classes = [self.permission]
        # The view may override these methods: only the guard's own permission is asked here.
        view.get_permissions = lambda: [permission]
        try:
            APIView.check_permissions(view, view.request)
            if found is not None:
                APIView.check_object_permissions(view, view.request, found)
        except NotAuthenticated:
            # A view says this of anybody who is not logged in; a permission with words of its own is heard first.
            text, code = (getattr(permission, name, None) for name in ("message", "code"))
            if text is None and code is None:
                raise
            raise PermissionDenied(text, code) from None


# Any: whatever stands in a list of guards.
def permission_guard(candidate: Any, where: str) -> PermissionGuard:
    """Make a guard of a permission class. Raises TypeError for anything else, instances included."""
    is_expression = isinstance(candidate, OperandHolder | SingleOperandHolder)
    if is_expression or (inspect.isclass(candidate) and hasattr(candidate, "has_permission")):
        return PermissionGuard(candidate)
    raise TypeError(
        f"{candidate!r} in the guards of {where} is not a Guard instance, nor a permission class of "
        "Django REST framework (the class, not an instance)."
    )


class _Known(BaseAuthentication):
    """Says who the connection belongs to."""

    def __init__(self, user: Any, credentials: Any) -> None:
        self._identity = (user, credentials)

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        return self._identity if getattr(self._identity[0], "is_authenticated", False) else None


def _view_of(consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage) -> tuple[Any, Any]:
    """Return the view that stands for a message, with its request, and the object of the connection."""
    scope, authenticator = consumer.scope, consumer.authenticator
    user = _fresh(scope.get("user"))
    body = message.model_dump_json().encode()
    plain = http_request(scope, "post", body)
    if isinstance(authenticator, DjangoAuthenticator):
        view: Any = authenticator.view_for(plain, scope)
        first, found = authenticator.request, _fresh(authenticator.obj)
    else:
        view, first, found = ChanxAuthView(), None, None
        view.setup(plain)
    known = _Known(user if getattr(user, "is_active", True) else None, getattr(first, "auth", None))
    view.request = Request(plain, parsers=[JSONParser()], authenticators=[known])
    # Those of a topic, too, which the route does not know.
    view.kwargs = consumer.url_params
    view.consumer, view.message = consumer, message
    return view, found


def _fresh(value: Any) -> Any:
    """Return a copy of what the database has now; the one that handlers hold stays as it is.

    Raises what tells the client that a user or an object is no more.
    """
    if not isinstance(value, Model) or value.pk is None:
        return value
    fresh = copy(value)
    for name in [name for name in vars(fresh) if _is_cached(type(fresh), name)]:
        delattr(fresh, name)
    try:
        fresh.refresh_from_db()
    except ObjectDoesNotExist:
        is_user = hasattr(value, "is_authenticated")
        raise (NotAuthenticated() if is_user else NotFound()) from None
    return fresh


def _is_cached(model: type[Model], name: str) -> bool:
    """Tell whether an attribute was worked out before: by Django's permission backends, or a cached property."""
    kept = getattr(model, name, None)
    return name.endswith("_perm_cache") or isinstance(kept, cached_property | CachedProperty)


# Any: a text, or lists and objects of texts.
def _text(detail: Any) -> str:
    """Flatten what a permission says."""
    if isinstance(detail, str):
        return str(detail)
    parts: Iterable[Any] = detail.values() if hasattr(detail, "values") else detail
    return " ".join(map(_text, parts))
