"""Authentication of WebSockets by the classes of Django REST framework; needs the extra `drf`."""

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from http.client import responses
from typing import Any, ClassVar, Literal, cast

from django.db.models import QuerySet
from django.db.models.manager import BaseManager
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pydantic_core import from_json

from chanx.channels._awaiting import awaited
from chanx.channels._database import atomic_request, in_database_thread
from chanx.channels._request import http_request, route_arguments
from chanx.core.authenticator import BaseAuthenticator, Credential
from chanx.messages.outgoing import AuthenticationMessage, AuthenticationPayload
from chanx.type_defs import Scope
from chanx.utils.logging import logger

try:
    from rest_framework import serializers
    from rest_framework.authentication import BaseAuthentication, SessionAuthentication
    from rest_framework.generics import GenericAPIView
    from rest_framework.renderers import JSONRenderer
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.viewsets import ViewSetMixin

    from chanx.channels._credentials import DeclaredCredentials
    from chanx.channels._rest_awaiting import AwaitingView, awaiting, refuse_async_methods
except ModuleNotFoundError as _error:
    if (_error.name or "").partition(".")[0] != "rest_framework":
        raise
    raise ImportError(
        'DjangoAuthenticator needs Django REST framework: pip install "chanx-django[drf]"'
    ) from _error

__all__ = ["AuthActionInterceptMixin", "ChanxAuthView", "ChanxSerializer", "DjangoAuthenticator"]

AuthMethod = Literal["get", "post", "put", "patch", "delete", "options"]

_UNSET: Any = object()
_VIEW_ATTRIBUTES = (
    "authentication_classes",
    "permission_classes",
    "queryset",
    "lookup_field",
    "lookup_url_kwarg",
)
# What a view set calls the handling of each method, with and without an object.
_ACTIONS = {"post": "create", "put": "update", "patch": "partial_update", "delete": "destroy"}
_ADMITTED = {"detail": "OK"}


class ChanxSerializer(serializers.Serializer[Any]):
    """Of an emulated request, which has no content worth describing."""

    detail: serializers.CharField = serializers.CharField(required=False, write_only=True)


class ChanxAuthView(GenericAPIView[Any]):
    """The view that authenticates where an authenticator names no other."""

    serializer_class: type[serializers.BaseSerializer[Any]] | None = ChanxSerializer


class AuthActionInterceptMixin(GenericAPIView[Any]):
    """Answers every method by letting in whom the view would have let in, and does nothing else."""

    def intercept(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Look the object up, if there is one to look up, which checks its permissions."""
        authenticator = cast("_AskedView", self).authenticator
        if authenticator.needs_object:
            self.get_object()
        return Response(_ADMITTED)

    get: Callable[..., Response] = intercept
    post: Callable[..., Response] = intercept
    put: Callable[..., Response] = intercept
    patch: Callable[..., Response] = intercept
    delete: Callable[..., Response] = intercept
    options = intercept  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] # a view of Django's takes an HttpRequest


class _AskedView(AwaitingView, GenericAPIView[Any]):
    """A view that looks up what its authenticator says, and lets no object past its permissions."""

    authenticator: "DjangoAuthenticator"
    adds_permissions = False
    found: Any = None
    _checked: Any = None

    def get_permissions(self) -> list[Any]:
        """Add the authenticator's permissions, which a view that overrides this method would leave out."""
        found = super().get_permissions()
        if not self.adds_permissions:
            return found
        asked = [one.__class__ for one in found]
        return found + [awaiting(one()) for one in self.permission_classes if one not in asked]

    def get_queryset(self) -> Any:
        """Ask the authenticator, which asks `own_queryset()` unless it is overridden."""
        queryset: Any = awaited(self.authenticator.get_queryset())
        return cast(Any, queryset).all() if isinstance(queryset, BaseManager) else queryset

    def own_queryset(self) -> Any:
        """Return what the view itself looks in."""
        return super().get_queryset()

    def get_object(self) -> Any:
        """Ask the authenticator likewise. Whoever found the object, its permissions are checked."""
        found = awaited(self.authenticator.get_object())
        if self._checked is not found:
            self.check_object_permissions(self.request, found)
        self.found = found
        return found

    def own_object(self) -> Any:
        """Return what the view itself finds."""
        return super().get_object()

    def check_object_permissions(self, request: Any, obj: Any) -> None:
        """Check, and note what was checked."""
        super().check_object_permissions(request, obj)
        self._checked = obj

    def perform_content_negotiation(self, request: Any, force: bool = False) -> Any:
        """Take any renderer: what a handshake accepts says nothing about messages."""
        return super().perform_content_negotiation(request, force=True)


class DjangoAuthenticator(BaseAuthenticator):
    """Lets in whom a REST view with the same classes would answer with success.

    Attributes that a class or instance sets win over those of `auth_view_class`; unset, the view's count, and for
    `ChanxAuthView` the project's REST_FRAMEWORK settings. Where the view overrides `get_permissions()`, those
    permissions and `permission_classes` are all asked. `get_queryset()` and `get_object()` may be overridden. They and
    the view run in a thread. Afterwards `user` is in the scope too.

    Success is any 2xx. Otherwise the connection is closed with 4000 + the status. A failure of the view's own
    is logged, closes with 4500 and tells the client nothing.
    """

    status_code: int | None = None
    credentials: ClassVar[Sequence[Credential]] = cast(
        "Sequence[Credential]", DeclaredCredentials()
    )
    """What documents say that clients show; by default what the authentication classes look at."""
    authentication_classes: Sequence[type[BaseAuthentication]] | None = None
    # Any: a class, or an expression of classes such as `IsAuthenticated & IsMember`.
    permission_classes: Sequence[Any] | None = None
    # Any: a QuerySet, a Manager, True or None; to the types a manager is a descriptor, which no instance could set.
    queryset: Any = None
    """Where to look the object up that the route names. True: there is no object, whatever the view says."""
    auth_method: AuthMethod = "get"
    """The method of the emulated request."""
    auth_view_class: type[GenericAPIView[Any]] = ChanxAuthView
    override_http_methods: bool = True
    """Replace the methods of a custom view; False runs the real ones, with all they do."""
    lookup_field: str = "pk"
    lookup_url_kwarg: str | None = None

    # Any: the project's user model, or what an authentication class returns in its place.
    user: Any = None
    obj: Any = None
    """The object that the route names, once it was found."""
    request: Request | None = None
    view: _AskedView

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse what could not work, when it is written."""
        super().__init_subclass__(**kwargs)
        for name in ("get_queryset", "get_object"):
            if inspect.iscoroutinefunction(getattr(cls, name)):
                raise TypeError(
                    f"{cls.__name__}.{name}() must not be async: it runs in a worker thread."
                )
        _check_queryset(cls.queryset, cls.__name__)
        view = cast(Any, cls.auth_view_class)
        if not (isinstance(view, type) and issubclass(view, GenericAPIView)):
            raise TypeError(
                f"auth_view_class of {cls.__name__} must be a GenericAPIView subclass, not {view!r}."
            )
        refuse_async_methods(view, f"auth_view_class of {cls.__name__}")

    def get_queryset(self) -> Any:
        """Return where the object is looked up. Override; `super()` has what the attributes say."""
        return self.view.own_queryset()

    def get_object(self) -> Any:
        """Return the object of the connection. Override; `super()` looks it up by `lookup_field`.

        Object permissions are checked for whatever it returns.
        """
        return self.view.own_object()

    @property
    def kwargs(self) -> dict[str, Any]:
        """What the route captured of the path."""
        captured: dict[str, Any] = self.view.kwargs
        return captured

    @property
    def needs_object(self) -> bool:
        """Whether somebody said where an object is: then it has to be found and permitted."""
        if _overrides(type(self), DjangoAuthenticator, "get_object"):
            return True
        own = self._own("queryset")
        if own is True:
            return False
        if own is not _UNSET or _overrides(type(self), DjangoAuthenticator, "get_queryset"):
            return True
        if self._is_creating:
            return False
        queryset = cast(Any, self.view).queryset
        return (queryset is not None and queryset is not True) or any(
            _overrides(self.auth_view_class, GenericAPIView, name)
            for name in ("get_queryset", "get_object")
        )

    @property
    def _is_creating(self) -> bool:
        """Whether a view set is asked to create, on a route that captures nothing: there is no object yet."""
        view: Any = self.view
        is_post = view.request.method == "POST" and not (view.args or view.kwargs)
        return is_post and isinstance(view, ViewSetMixin)

    async def authenticate(self, scope: Scope) -> bool:
        """Ask the view, and tell the client what it said."""
        try:
            response = await in_database_thread(self._ask, scope)
        except Exception:
            self.status_code = 500
            raise
        self.status_code = response.status_code
        admitted = _is_success(response)
        if admitted:
            scope["user"] = self.user
        await self._tell(_ADMITTED if admitted else _plain(getattr(response, "data", None)))
        return admitted

    def view_for(self, request: HttpRequest, scope: Scope) -> _AskedView:
        """Make the view of one request, with everything that is set here."""
        args, kwargs = route_arguments(scope)
        view = self.view = _asked(self.auth_view_class, self.override_http_methods)()
        view.authenticator = self
        view.setup(request, *args, **kwargs)
        _check_queryset(self.queryset, type(self).__name__)
        for name in _VIEW_ATTRIBUTES:
            value = self._own(name)
            if value is not _UNSET and not isinstance(value, bool):
                setattr(view, name, value)
        is_own = self._own("permission_classes") is not _UNSET
        view.adds_permissions = is_own and _overrides(
            self.auth_view_class, GenericAPIView, "get_permissions"
        )
        if isinstance(view, ViewSetMixin):
            self._name_action(view, cast(str, request.method).lower())
        return view

    def _name_action(self, view: Any, asked: str) -> None:
        """Do what a router would: tell a view set which action a method stands for."""
        reading = "retrieve" if self.needs_object else "list"
        view.action_map = {"get": reading, **_ACTIONS}
        view.action = view.action_map.get(asked, "metadata")
        if not self.override_http_methods:
            for method, action in view.action_map.items():
                if hasattr(view, action):
                    setattr(view, method, _action(view, action))

    def _ask(self, scope: Scope) -> HttpResponseBase:
        """Send the emulated request through the view, in a thread."""
        request = http_request(scope, self.auth_method)
        view = self.view_for(request, scope)
        with atomic_request(view.dispatch):
            response = self._answer(view, request)
        if not _is_success(response):
            _say_what_is_missing(view, scope)
        else:
            assert self.request is not None
            self.user, self.obj = self.request.user, view.found
        return response

    def _answer(self, view: _AskedView, request: HttpRequest) -> HttpResponseBase:
        response = view.dispatch(cast(Any, request), *view.args, **view.kwargs)
        self.request = view.request
        if _is_success(response) and self._is_still_to_find(view):
            try:
                view.get_object()
            except Exception as error:
                return view.handle_exception(error)
        return response

    def _is_still_to_find(self, view: _AskedView) -> bool:
        """Tell whether a real method has not looked up what the route names."""
        named = (view.lookup_url_kwarg or view.lookup_field) in view.kwargs
        return view.found is None and self.needs_object and named

    async def _tell(self, data: Any) -> None:
        if self.consumer is not None and not self.consumer.send_authentication_message:
            return
        status = cast(int, self.status_code)
        payload = AuthenticationPayload(
            status_code=status, status_text=responses.get(status, ""), data=data
        )
        await self.send_message(AuthenticationMessage(payload=payload))

    def _own(self, name: str) -> Any:
        """Return what the instance or a class below this one sets; None leaves it to the view."""
        below = type(self).__mro__[: type(self).__mro__.index(DjangoAuthenticator)]
        holders = (vars(holder) for holder in (self, *below))
        value = next((holder[name] for holder in holders if name in holder), None)
        return _UNSET if value is None else value


def _action(view: Any, name: str) -> Callable[..., HttpResponseBase]:
    """Return an action of a view set, called with what a router would give it."""
    action: Callable[..., HttpResponseBase] = getattr(view, name)
    if name not in ("list", "create"):
        return action
    keyword = view.lookup_url_kwarg or view.lookup_field

    def without_object(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return action(request, *args, **{key: kwargs[key] for key in kwargs if key != keyword})

    return without_object


# Any: the value to check.
def _check_queryset(value: Any, where: str) -> None:
    """Raise TypeError for a value in which no object can be looked up: every client would get a 404."""
    if value is None or value is True or isinstance(value, QuerySet | BaseManager):
        return
    raise TypeError(
        f"queryset of {where} must be a QuerySet such as Group.objects.all(), a manager, True (there is no "
        f"object) or None (the queryset of the view), not {value!r}. Override get_queryset() for anything else."
    )


@cache
def _asked(view: type[GenericAPIView[Any]], override: bool) -> type[_AskedView]:
    bases = (AuthActionInterceptMixin, _AskedView, view) if override else (_AskedView, view)
    return type(f"Intercepted{view.__name__}", bases, {})


def _say_what_is_missing(view: GenericAPIView[Any], scope: Scope) -> None:
    """Tell those who run the site why nobody's session counts, which looks like any other denial to clients."""
    if "user" in scope:
        return
    if any(issubclass(one, SessionAuthentication) for one in view.authentication_classes):
        logger.warning(
            "SessionAuthentication finds no user in the scope: "
            "put channels.auth.AuthMiddlewareStack around the router"
        )


def _is_success(response: HttpResponseBase) -> bool:
    return 200 <= response.status_code < 300


def _overrides(cls: type, base: type, name: str) -> bool:
    return getattr(cls, name, None) is not getattr(base, name)


def _plain(data: Any) -> Any:
    """Return what a response says as plain JSON, its details included."""
    return from_json(JSONRenderer().render(data)) if data is not None else None
