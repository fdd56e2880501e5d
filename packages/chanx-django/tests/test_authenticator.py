"""Authentication of WebSockets by the classes of Django REST framework."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import pytest
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.cache import cache
from django.db import connections
from django.db.models import Manager
from django.test import Client, override_settings
from rest_framework import generics, viewsets
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    TokenAuthentication,
)
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import (
    AllowAny,
    BasePermission,
    DjangoModelPermissions,
    IsAuthenticated,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken

from chanx.channels.authenticator import ChanxAuthView, ChanxSerializer, DjangoAuthenticator
from chanx.channels.routing import path
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx.utils.scope import scope_user

pytestmark = pytest.mark.django_db(transaction=True)

OK = {"status_code": 200, "status_text": "OK", "data": {"detail": "OK"}}
MISSING = "Authentication credentials were not provided."


class WhoMessage(BaseMessage):
    action: Literal["who"] = "who"
    payload: list[str | None] | None = None


class WhoConsumer(AsyncJsonWebsocketConsumer):
    """Tells whose connection it is and which group it is about."""

    handled = 0

    @ws_handler
    async def handle_who(self, message: WhoMessage) -> WhoMessage:
        authenticator = self.authenticator
        assert isinstance(authenticator, DjangoAuthenticator)
        user, found = scope_user(self.scope), authenticator.obj
        assert authenticator.user == self.scope["user"]
        return WhoMessage(payload=[user and user.username, found and found.name])

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None:
        WhoConsumer.handled += 1


class IsMember(BasePermission):
    message = "Members only"
    code = "no_member"

    def has_object_permission(self, request: Any, view: Any, obj: Group) -> bool:
        return request.user.groups.filter(pk=obj.pk).exists() is True


class Sessions(DjangoAuthenticator):
    authentication_classes = (SessionAuthentication,)
    permission_classes: Sequence[Any] | None = (IsAuthenticated,)


class Members(Sessions):
    permission_classes = (IsAuthenticated, IsMember)
    queryset = Group.objects.all()


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    WhoConsumer.handled = 0
    async with no_leaks(get_channel_layer()):
        yield


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def readers(ada: User) -> Group:
    """A group that Ada is in."""
    readers = Group.objects.create(name="readers")
    ada.groups.add(readers)
    return readers


@pytest.fixture
def writers() -> Group:
    """A group that nobody is in."""
    return Group.objects.create(name="writers")


@pytest.fixture
def cookie(ada: User) -> tuple[bytes, bytes]:
    """The session of Ada's browser."""
    client = Client()
    client.force_login(ada)
    return b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()


def socket(
    authenticator: type[DjangoAuthenticator],
    where: str = "/ws/",
    *headers: tuple[bytes, bytes],
    **attributes: Any,
) -> WebsocketCommunicator:
    consumer: Any = type(
        "WhoTestConsumer", (WhoConsumer,), {"authenticator_class": authenticator, **attributes}
    )
    view = consumer.as_asgi()
    routes: list[Any] = [
        path("ws/", view),
        path("ws/<int:pk>/", view),
        path("ws/name/<slug:name>/", view),
    ]
    application: Any = AuthMiddlewareStack(URLRouter(routes))
    return WebsocketCommunicator(application, where, list(headers), consumer=consumer)


async def answer(
    authenticator: type[DjangoAuthenticator], where: str = "/ws/", *headers: tuple[bytes, bytes]
) -> dict[str, Any]:
    """Return what the client is told."""
    async with socket(authenticator, where, *headers) as ws:
        payload: dict[str, Any] = (await ws.receive_json_from())["payload"]
        if 200 <= payload["status_code"] < 300:
            return payload
        await ws.assert_closed(4000 + payload["status_code"])
        await ws.wait()
    return payload


async def who(
    authenticator: type[DjangoAuthenticator], where: str = "/ws/", *headers: tuple[bytes, bytes]
) -> Any:
    """Return who is connected, and to what."""
    async with socket(authenticator, where, *headers) as ws:
        assert (await ws.receive_json_from())["payload"] == OK
        await ws.send_message(WhoMessage())
        return (await ws.receive_json_from())["payload"]


async def crashes(
    authenticator: type[DjangoAuthenticator], where: str = "/ws/", *headers: tuple[bytes, bytes]
) -> None:
    """Expect that the connection is closed without a word."""
    ws = socket(authenticator, where, *headers)
    await ws.connect()
    await ws.assert_closed(4500)
    await ws.wait()


def changed(
    base: type[DjangoAuthenticator] = Members, **attributes: Any
) -> type[DjangoAuthenticator]:
    return type("Changed", (base,), attributes)


# Ways to authenticate


async def test_a_session_of_the_site(cookie: tuple[bytes, bytes]) -> None:
    assert await who(Sessions, "/ws/", cookie) == ["ada", None]


async def test_a_token(ada: User) -> None:
    token = await Token.objects.acreate(user=ada)
    authenticator = changed(Sessions, authentication_classes=[TokenAuthentication])

    assert await who(authenticator, "/ws/", (b"authorization", f"Token {token}".encode())) == [
        "ada",
        None,
    ]
    refused = await answer(authenticator, "/ws/", (b"authorization", b"Token wrong"))
    assert (refused["status_code"], refused["data"]) == (401, {"detail": "Invalid token."})


async def test_a_jwt(ada: User) -> None:
    authenticator = changed(Sessions, authentication_classes=[JWTAuthentication])
    token = str(AccessToken.for_user(ada))

    assert await who(authenticator, "/ws/", (b"authorization", f"Bearer {token}".encode())) == [
        "ada",
        None,
    ]
    refused = await answer(authenticator, "/ws/", (b"authorization", b"Bearer not.a.token"))
    assert (refused["status_code"], refused["data"]["code"]) == (401, "token_not_valid")


class Tickets(BaseAuthentication):
    """Reads a name from the address: custom, and no example to follow."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        name = request.query_params.get("ticket")
        if name is None:
            return None
        user = User.objects.filter(username=name).first()
        if user is None:
            raise AuthenticationFailed("No such ticket")
        return user, name

    def authenticate_header(self, request: Request) -> str:
        return "Ticket"


async def test_a_class_of_the_projects(ada: User) -> None:
    authenticator = changed(Sessions, authentication_classes=[Tickets])

    assert await who(authenticator, "/ws/?ticket=ada") == ["ada", None]
    refused = await answer(authenticator, "/ws/?ticket=bob")
    assert refused == {
        "status_code": 401,
        "status_text": "Unauthorized",
        "data": {"detail": "No such ticket"},
    }


async def test_the_project_settings_count_where_nothing_is_set(ada: User) -> None:
    with override_settings(
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [f"{__name__}.Tickets"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        }
    ):
        settings_view: Any = type("SettingsView", (ChanxAuthView,), {})
        settings_view.authentication_classes = settings_view.settings.DEFAULT_AUTHENTICATION_CLASSES
        settings_view.permission_classes = settings_view.settings.DEFAULT_PERMISSION_CLASSES
        authenticator = changed(DjangoAuthenticator, auth_view_class=settings_view)

        assert await who(authenticator, "/ws/?ticket=ada") == ["ada", None]
        assert (await answer(authenticator))["status_code"] == 401


async def test_by_default_everybody_is_let_in_as_nobody() -> None:
    """As Django REST framework does without settings."""
    assert await who(DjangoAuthenticator) == [None, None]


# What the client is told


@pytest.mark.parametrize(
    ("classes", "status", "text"),
    [([TokenAuthentication], 401, "Unauthorized"), ([SessionAuthentication], 403, "Forbidden")],
)
async def test_nobody_is_refused(classes: list[Any], status: int, text: str) -> None:
    """With a challenge 401, without one 403, and the close code says the same."""
    authenticator = changed(Sessions, authentication_classes=classes)

    assert await answer(authenticator) == {
        "status_code": status,
        "status_text": text,
        "data": {"detail": MISSING},
    }


async def test_messages_of_the_refused_are_never_handled() -> None:
    ws = socket(Sessions)
    await ws.connect()
    for _ in range(5):
        await ws.send_message(PingMessage())
    await ws.receive_json_from()
    await ws.assert_closed(4403)
    await ws.wait()

    assert WhoConsumer.handled == 0


async def test_an_object_that_is_not_there(cookie: tuple[bytes, bytes]) -> None:
    assert await answer(Members, "/ws/77/", cookie) == {
        "status_code": 404,
        "status_text": "Not Found",
        "data": {"detail": "No Group matches the given query."},
    }


async def test_camel_case(cookie: tuple[bytes, bytes]) -> None:
    async with socket(Sessions, "/ws/", cookie, camelize=True) as ws:
        assert (await ws.receive_json_from())["payload"] == {
            "statusCode": 200,
            "statusText": "OK",
            "data": {"detail": "OK"},
        }


async def test_the_message_can_be_turned_off(cookie: tuple[bytes, bytes]) -> None:
    """By the setting or by the class."""
    with override_settings(CHANX={"SEND_AUTHENTICATION_MESSAGE": False}):
        refused = socket(Sessions)
        await refused.connect()
        await refused.assert_closed(4403)
        await refused.wait()
    async with socket(Sessions, "/ws/", cookie, send_authentication_message=False) as ws:
        await ws.send_message(WhoMessage())
        assert (await ws.receive_json_from())["action"] == "who"


async def test_before_the_handshake_is_accepted(cookie: tuple[bytes, bytes]) -> None:
    refused = socket(Sessions, authenticate_before_accept=True)
    assert await refused.connect() == (False, 4403)
    await refused.wait()


class Teapot(BaseAuthentication):
    """Goes wrong."""

    def authenticate(self, request: Request) -> None:
        raise RuntimeError("a secret")


async def test_a_crash_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    await crashes(changed(Sessions, authentication_classes=[Teapot]))

    logged = caplog.text
    assert "Error while authenticating" in logged
    assert "a secret" in logged


# The emulated request


class Looking(BaseAuthentication):
    """Notes what it is shown."""

    seen: Request
    user: Any

    def authenticate(self, request: Request) -> None:
        Looking.seen, Looking.user = request, request._request.user


async def test_the_request_is_the_one_a_view_would_get(
    cookie: tuple[bytes, bytes], ada: User
) -> None:
    authenticator = changed(
        DjangoAuthenticator, authentication_classes=[Looking], auth_method="post"
    )
    ws = socket(
        authenticator,
        "/ws/7/?a=1&a=2&b=%20x",
        cookie,
        (b"host", b"testserver"),
        (b"user-agent", b"Browser"),
        (b"x-forwarded-for", b"10.0.0.1"),
        (b"content-type", b"text/odd"),
        (b"x-name", "Zoë".encode("latin-1")),
        (b"x_spoofed", b"1"),
    )
    ws.scope["scheme"] = "wss"
    async with ws:
        await ws.receive_json_from()

    request = Looking.seen
    assert request.method == "POST"
    assert request.path == "/ws/7/"
    assert request.query_params.getlist("a") == ["1", "2"]
    assert request.query_params["b"] == " x"
    assert request.headers["User-Agent"] == "Browser"
    assert request.META["HTTP_X_FORWARDED_FOR"] == "10.0.0.1"
    assert request.META["CONTENT_TYPE"] == "text/odd"
    assert request.META["HTTP_X_NAME"] == "Zoë"
    assert "HTTP_X_SPOOFED" not in request.META
    assert request.META["REMOTE_ADDR"] == "127.0.0.1"
    assert request.COOKIES["sessionid"] in cookie[1].decode()
    assert request._request.session["_auth_user_id"] == str(ada.pk)
    assert Looking.user == ada
    assert request.get_host() == "testserver"
    assert request.is_secure()
    assert request.build_absolute_uri("/x") == "https://testserver/x"
    assert request.resolver_match is not None
    assert request.resolver_match.kwargs == {"pk": 7}
    assert request.parser_context["kwargs"] == {"pk": 7}
    assert [type(one) for one in request.authenticators or ()] == [Looking]
    assert request.data == {}


@pytest.mark.parametrize(
    ("key", "value"), [("client", None), ("query_string", b"a=\xff"), ("server", None)]
)
async def test_what_servers_leave_out_or_pass_on(key: str, value: Any) -> None:
    authenticator = changed(DjangoAuthenticator, authentication_classes=[Looking])
    ws = socket(authenticator, "/ws/", (b"x-odd", b"\xff\xfe"), (b"accept", b"image/png"))
    ws.scope[key] = value
    async with ws:
        assert (await ws.receive_json_from())["payload"] == OK
    assert Looking.seen.headers["X-Odd"] == "ÿþ"


class Once(SimpleRateThrottle):
    rate = "1/hour"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return f"once-{self.get_ident(request)}"


async def test_throttles_of_the_view() -> None:
    cache.clear()
    view = type("ThrottledView", (ChanxAuthView,), {"throttle_classes": [Once]})
    authenticator = changed(DjangoAuthenticator, auth_view_class=view)

    assert await answer(authenticator) == OK
    refused = await answer(authenticator)
    assert (refused["status_code"], refused["status_text"]) == (429, "Too Many Requests")


# Objects and their permissions


def as_queryset() -> dict[str, Any]:
    return {"queryset": Group.objects.all()}


def as_manager() -> dict[str, Any]:
    return {"queryset": Group.objects}


def as_method() -> dict[str, Any]:
    def get_queryset(self: DjangoAuthenticator) -> Any:
        assert str(self.view.request.user) == "ada"
        return Group.objects.exclude(name="nobody")

    return {"queryset": None, "get_queryset": get_queryset}


def as_method_that_returns_a_manager() -> dict[str, Any]:
    def get_queryset(self: DjangoAuthenticator) -> Manager[Group]:
        return Group.objects

    return {"queryset": None, "get_queryset": get_queryset}


def as_object() -> dict[str, Any]:
    def get_object(self: DjangoAuthenticator) -> Group:
        return Group.objects.get(pk=self.kwargs["pk"])

    return {"queryset": None, "get_object": get_object}


def as_object_through_super() -> dict[str, Any]:
    def get_object(self: DjangoAuthenticator) -> Any:
        return DjangoAuthenticator.get_object(self)

    return {"queryset": Group.objects.all(), "get_object": get_object}


def in_the_view() -> dict[str, Any]:
    view = type("GroupView", (generics.RetrieveAPIView,), {"queryset": Group.objects.all()})
    return {"queryset": None, "auth_view_class": view}


def in_the_views_method() -> dict[str, Any]:
    def get_queryset(self: Any) -> Any:
        return Group.objects.all()

    view = type("GroupView", (generics.RetrieveAPIView,), {"get_queryset": get_queryset})
    return {"queryset": None, "auth_view_class": view}


def in_the_views_own_object() -> dict[str, Any]:
    def get_object(self: Any) -> Group:
        return Group.objects.get(pk=self.kwargs["pk"])

    view = type("GroupView", (generics.RetrieveAPIView,), {"get_object": get_object})
    return {"queryset": None, "auth_view_class": view}


FORMS = [
    as_queryset,
    as_manager,
    as_method,
    as_method_that_returns_a_manager,
    as_object,
    as_object_through_super,
    in_the_view,
    in_the_views_method,
    in_the_views_own_object,
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
async def test_object_permissions_hold_in_every_form(
    form: Any, method: str, cookie: tuple[bytes, bytes], readers: Group, writers: Group
) -> None:
    base = type("Plain", (Members,), {"queryset": None})
    authenticator = changed(base, auth_method=method, **form())

    assert await who(authenticator, f"/ws/{readers.pk}/", cookie) == ["ada", "readers"]
    assert await answer(authenticator, f"/ws/{writers.pk}/", cookie) == {
        "status_code": 403,
        "status_text": "Forbidden",
        "data": {"detail": "Members only"},
    }
    assert await Group.objects.acount() == 2


async def test_another_field_of_the_route(
    cookie: tuple[bytes, bytes], readers: Group, writers: Group
) -> None:
    by_name = changed(lookup_field="name")
    by_keyword = changed(lookup_field="name", lookup_url_kwarg="pk")

    assert await who(by_name, "/ws/name/readers/", cookie) == ["ada", "readers"]
    assert (await answer(by_name, "/ws/name/writers/", cookie))["status_code"] == 403
    assert (await answer(by_keyword, f"/ws/{readers.pk}/", cookie))["status_code"] == 404


async def test_attributes_left_alone_are_the_views(
    cookie: tuple[bytes, bytes], readers: Group
) -> None:
    view = type(
        "ByName",
        (generics.RetrieveAPIView,),
        {"queryset": Group.objects.all(), "lookup_field": "name"},
    )

    found = await who(changed(Sessions, auth_view_class=view), "/ws/name/readers/", cookie)
    assert found == ["ada", "readers"]


async def test_attributes_of_an_instance_win(cookie: tuple[bytes, bytes], readers: Group) -> None:
    class ByInstance(Sessions):
        def __init__(self, send_message: Any) -> None:
            super().__init__(send_message)
            self.lookup_field = "name"
            self.queryset = Group.objects.all()
            self.permission_classes = [IsMember]

    assert await who(ByInstance, "/ws/name/readers/", cookie) == ["ada", "readers"]


async def test_true_means_no_object(cookie: tuple[bytes, bytes], writers: Group) -> None:
    """Also where the view has one, whose model permissions still hold."""
    view = type("GroupView", (generics.RetrieveAPIView,), {"queryset": Group.objects.all()})
    without = changed(queryset=True, auth_view_class=view)
    strict = changed(
        queryset=True,
        auth_view_class=view,
        permission_classes=[DjangoModelPermissions],
        auth_method="delete",
    )

    assert await who(without, f"/ws/{writers.pk}/", cookie) == ["ada", None]
    assert (await answer(strict, f"/ws/{writers.pk}/", cookie))["status_code"] == 403


async def test_a_route_without_the_keyword_lets_nobody_in(
    cookie: tuple[bytes, bytes], readers: Group, caplog: pytest.LogCaptureFixture
) -> None:
    await crashes(Members, "/ws/", cookie)

    assert 'URL keyword argument named "pk"' in caplog.text


# Views of the project's


class Recording(generics.GenericAPIView[Any]):
    """Notes which methods ran."""

    ran: list[str] = []  # noqa: RUF012 - emptied by the tests
    queryset = Group.objects.all()
    status = 204

    def get(self, request: Request, **kwargs: Any) -> Response:
        self.ran.append("get")
        return Response(status=self.status)

    def delete(self, request: Request, pk: int) -> Response:
        self.ran.append("delete")
        self.get_object().delete()
        return Response(status=self.status)


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    Recording.ran = []


async def test_the_methods_of_a_view_do_not_run(
    cookie: tuple[bytes, bytes], readers: Group
) -> None:
    authenticator = changed(Members, auth_view_class=Recording, auth_method="delete")

    assert await answer(authenticator, f"/ws/{readers.pk}/", cookie) == OK
    assert Recording.ran == []
    assert await Group.objects.acount() == 1


async def test_the_real_methods_run_on_request(
    cookie: tuple[bytes, bytes], readers: Group, writers: Group
) -> None:
    """Any 2xx is success. An object that the method did not ask for has to be permitted all the same."""
    real: dict[str, Any] = {"auth_view_class": Recording, "override_http_methods": False}
    deleting = changed(auth_method="delete", **real)
    getting = changed(**real)

    told = await answer(deleting, f"/ws/{readers.pk}/", cookie)
    assert (told["status_code"], told["status_text"]) == (204, "No Content")
    assert [group.name async for group in Group.objects.all()] == ["writers"]
    assert (await answer(getting, f"/ws/{writers.pk}/", cookie))["status_code"] == 403
    assert Recording.ran == ["delete", "get"]


@pytest.mark.parametrize("status", [302, 500])
async def test_other_answers_are_denials(status: int, cookie: tuple[bytes, bytes]) -> None:
    view = type("Odd", (Recording,), {"status": status, "queryset": None})
    ws = socket(
        changed(Sessions, auth_view_class=view, override_http_methods=False), "/ws/", cookie
    )
    await ws.connect()

    assert (await ws.receive_json_from())["payload"]["status_code"] == status
    await ws.assert_closed(4500 if status == 500 else 4401)
    await ws.wait()


async def test_a_method_that_the_view_does_not_have(cookie: tuple[bytes, bytes]) -> None:
    authenticator = changed(
        Sessions, auth_view_class=Recording, override_http_methods=False, auth_method="put"
    )

    assert (await answer(authenticator, "/ws/1/", cookie))["status_code"] == 405


@pytest.mark.parametrize("is_atomic", [True, False])
async def test_what_a_refused_method_wrote_is_rolled_back(
    is_atomic: bool, cookie: tuple[bytes, bytes], writers: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As around any view, where ATOMIC_REQUESTS says so."""

    class Writing(Recording):
        def get(self, request: Request, **kwargs: Any) -> Response:
            Group.objects.create(name="written")
            return super().get(request, **kwargs)

    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", is_atomic)
    authenticator = changed(auth_view_class=Writing, override_http_methods=False)

    assert (await answer(authenticator, f"/ws/{writers.pk}/", cookie))["status_code"] == 403
    assert await Group.objects.filter(name="written").aexists() is not is_atomic


class ByAction(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return view.action in ("retrieve", "list")


@pytest.mark.parametrize(
    ("method", "where", "status"), [("get", "/ws/1/", 200), ("delete", "/ws/1/", 403)]
)
async def test_view_sets_know_their_action(
    method: str, where: str, status: int, cookie: tuple[bytes, bytes], readers: Group
) -> None:
    view = type("Groups", (viewsets.ModelViewSet,), {"queryset": Group.objects.all()})
    authenticator = changed(
        Sessions, auth_view_class=view, auth_method=method, permission_classes=[ByAction]
    )

    told = await answer(authenticator, where.replace("1", str(readers.pk)), cookie)
    assert told["status_code"] == status


def view_set(base: type, **attributes: Any) -> Any:
    return type("Groups", (base,), {"queryset": Group.objects.all(), **attributes})


VIEW_SETS = [viewsets.ModelViewSet, viewsets.ReadOnlyModelViewSet, viewsets.GenericViewSet]
ACTIONS = {
    "get": "retrieve",
    "post": "create",
    "put": "update",
    "patch": "partial_update",
    "delete": "destroy",
    "options": "metadata",
}


@pytest.mark.parametrize("base", VIEW_SETS)
@pytest.mark.parametrize("method", ACTIONS)
async def test_permissions_of_a_view_set_are_those_of_the_action(
    base: type, method: str, cookie: tuple[bytes, bytes], readers: Group, writers: Group
) -> None:
    """`get_permissions()` of the view and object permissions are asked."""
    asked: list[str] = []

    def get_permissions(self: Any) -> list[Any]:
        asked.append(self.action)
        return [IsAuthenticated(), IsMember()]

    view = view_set(base, get_permissions=get_permissions)
    authenticator = changed(
        Sessions, auth_view_class=view, auth_method=method, permission_classes=None
    )

    assert (await answer(authenticator, f"/ws/{readers.pk}/", cookie))["status_code"] == 200
    assert (await answer(authenticator, f"/ws/{writers.pk}/", cookie))["status_code"] == 403
    assert (await answer(authenticator, f"/ws/{readers.pk}/"))["status_code"] == 403
    assert set(asked) == {ACTIONS[method]}


@pytest.mark.parametrize("base", VIEW_SETS)
async def test_creating_needs_no_object(base: type, cookie: tuple[bytes, bytes], ada: User) -> None:
    """A router sends POST to the route without a keyword, where the permissions of `create` are asked."""

    class MayCreate(BasePermission):
        def has_permission(self, request: Any, view: Any) -> bool:
            return bool(view.action == "create" and request.user.is_staff)

    creating = changed(
        Sessions,
        auth_view_class=view_set(base, permission_classes=[MayCreate]),
        auth_method="post",
        permission_classes=None,
    )

    assert (await answer(creating, "/ws/", cookie))["status_code"] == 403
    await User.objects.filter(pk=ada.pk).aupdate(is_staff=True)
    assert await who(creating, "/ws/", cookie) == ["ada", None]


async def test_a_route_without_the_keyword_of_a_view_set(
    cookie: tuple[bytes, bytes], readers: Group
) -> None:
    """Other methods need an object, and so does POST with a queryset of the authenticator or another keyword."""
    view = view_set(viewsets.ModelViewSet)

    await crashes(changed(Sessions, auth_view_class=view), "/ws/", cookie)
    await crashes(changed(Sessions, auth_view_class=view, auth_method="delete"), "/ws/", cookie)
    await crashes(changed(Members, auth_view_class=view, auth_method="post"), "/ws/", cookie)
    other = changed(Sessions, auth_view_class=view, auth_method="post", lookup_field="name")
    await crashes(other, f"/ws/{readers.pk}/", cookie)


async def test_permissions_of_an_authenticator_are_asked_whatever_the_view_asks(
    cookie: tuple[bytes, bytes], ada: User
) -> None:
    """A view may override `get_permissions()`, with or without `super()`."""

    class Choosing(ChanxAuthView):
        def get_permissions(self) -> list[Any]:
            return [IsAuthenticated()]

    class Adding(ChanxAuthView):
        def get_permissions(self) -> list[Any]:
            return [*super().get_permissions(), IsAuthenticated()]

    class IsStaff(BasePermission):
        asked = 0

        def has_permission(self, request: Any, view: Any) -> bool:
            IsStaff.asked += 1
            return bool(request.user.is_staff)

    for view in (Choosing, Adding):
        authenticator = changed(Sessions, auth_view_class=view, permission_classes=[IsStaff])
        assert (await answer(authenticator, "/ws/", cookie))["status_code"] == 403
        assert (await answer(authenticator, "/ws/"))["status_code"] == 403
        await User.objects.filter(pk=ada.pk).aupdate(is_staff=True)
        IsStaff.asked = 0
        assert (await answer(authenticator, "/ws/", cookie))["status_code"] == 200
        assert IsStaff.asked == 1
        await User.objects.filter(pk=ada.pk).aupdate(is_staff=False)


class OwnActions(viewsets.GenericViewSet[Any]):
    """Has the parameters of the examples in the framework's guide."""

    queryset = Group.objects.all()
    ran: list[str] = []  # noqa: RUF012 - emptied by the test

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        self.ran.append(str(self.action))
        return response

    def list(self, request: Request) -> Response:
        return Response([])

    def create(self, request: Request) -> Response:
        return Response(status=201)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response({})

    def update(self, request: Request, pk: int) -> Response:
        return Response({})

    def destroy(self, request: Request, pk: int) -> Response:
        return Response(status=204)


@pytest.mark.parametrize(
    ("method", "has_object", "action"),
    [
        ("get", True, "retrieve"),
        ("get", False, "list"),
        ("post", True, "create"),
        ("post", False, "create"),
        ("put", True, "update"),
        ("delete", True, "destroy"),
    ],
)
async def test_the_real_actions_get_what_a_router_gives_them(
    method: str,
    has_object: bool,
    action: str,
    cookie: tuple[bytes, bytes],
    readers: Group,
    writers: Group,
) -> None:
    """`list()` and `create()` take no key, also where the route captures one; the object is still asked about."""
    OwnActions.ran.clear()
    authenticator = changed(
        Members,
        queryset=None if has_object else True,
        auth_view_class=OwnActions,
        auth_method=method,
        override_http_methods=False,
    )

    told = await answer(authenticator, f"/ws/{readers.pk}/", cookie)
    refused = await answer(authenticator, f"/ws/{writers.pk}/", cookie)
    assert 200 <= told["status_code"] < 300
    assert (refused["status_code"] == 403) is has_object
    assert OwnActions.ran == [action, action]


async def test_the_real_actions_of_a_view_set(cookie: tuple[bytes, bytes], readers: Group) -> None:
    view = type("Groups", (viewsets.ModelViewSet,), {"queryset": Group.objects.all()})
    authenticator = changed(
        Members, auth_view_class=view, auth_method="delete", override_http_methods=False
    )

    assert (await answer(authenticator, f"/ws/{readers.pk}/", cookie))["status_code"] == 204
    assert await Group.objects.acount() == 0


def test_the_view_by_default() -> None:
    assert DjangoAuthenticator.auth_view_class is ChanxAuthView
    assert ChanxAuthView.serializer_class is ChanxSerializer
    serializer = ChanxSerializer(data={})
    assert serializer.is_valid()
    assert serializer.fields["detail"].write_only
    assert not serializer.fields["detail"].required


def test_what_cannot_work_is_refused_when_it_is_written() -> None:
    async def get_object(self: Any) -> None: ...

    with pytest.raises(TypeError, match=r"Changed.get_object\(\) must not be async"):
        changed(get_object=get_object)
    with pytest.raises(TypeError, match="auth_view_class of Changed must be a GenericAPIView"):
        changed(auth_view_class=AllowAny)


@pytest.mark.parametrize("wrong", [[], [1], (), False, "auth.Group", Group])
def test_a_queryset_of_another_type_is_refused_when_it_is_written(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"queryset of Changed must be a QuerySet such as"):
        changed(Sessions, queryset=wrong)


async def test_a_queryset_of_another_type_on_an_instance(
    readers: Group, caplog: pytest.LogCaptureFixture
) -> None:
    class ByInstance(DjangoAuthenticator):
        def __init__(self, send_message: Any) -> None:
            super().__init__(send_message)
            self.queryset = [readers]

    await crashes(ByInstance, f"/ws/{readers.pk}/")
    assert "queryset of ByInstance must be a QuerySet such as" in caplog.text


async def test_a_refused_user_is_not_in_the_scope() -> None:
    ws = socket(Sessions)
    async with ws:
        await ws.receive_json_from()
        await ws.assert_closed(4403)
    assert isinstance(ws.scope.get("user", AnonymousUser()), AnonymousUser)


async def test_a_missing_middleware_is_named(
    cookie: tuple[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """Clients are told what everybody is told; the log says what to do. A wrong cookie is no reason for it."""
    consumer: Any = type("Bare", (WhoConsumer,), {"authenticator_class": Sessions})
    async with WebsocketCommunicator(consumer.as_asgi(), "/", [cookie], consumer=consumer) as ws:
        assert (await ws.receive_json_from())["payload"]["data"] == {"detail": MISSING}
        await ws.assert_closed(4403)
    assert "put channels.auth.AuthMiddlewareStack around the router" in caplog.text

    caplog.clear()
    assert (await answer(Sessions, "/ws/", (b"cookie", b"sessionid=wrong")))["status_code"] == 403
    assert "AuthMiddlewareStack" not in caplog.text
