"""Asynchronous permissions, throttles and authentication classes: their answers are awaited."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.auth.models import Group, User
from django.test import AsyncClient, Client, override_settings
from rest_framework import generics, viewsets
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AND, AllowAny, BasePermission, IsAuthenticated
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from chanx.asyncapi import generate_document
from chanx.channels.authenticator import ChanxAuthView, DjangoAuthenticator
from chanx.channels.discovery import discover_routes
from chanx.channels.routing import path
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks

pytestmark = pytest.mark.django_db(transaction=True)

QUESTIONS = ("has_permission", "has_object_permission")


class Later:
    """An awaitable that is no coroutine, and answers with another one."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return answered(self.answer)


async def answered(answer: bool) -> bool:
    await asyncio.sleep(0)
    return answer


def permission(question: str, answer: bool, style: str) -> Any:
    """Return a permission class that answers one of its questions in an unusual way."""

    async def coroutine(self: Any, *args: Any) -> bool:
        return await answered(answer)

    def decorated(self: Any, *args: Any) -> Any:
        return coroutine(self)

    def later(self: Any, *args: Any) -> Any:
        return Later(answer)

    function = {"async": coroutine, "decorated": decorated, "awaitable": later}[style]
    return type("Asked", (BasePermission,), {question: function})


# Each takes one permission that says yes and one that says no, and is refused or not.
EXPRESSIONS: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    "yes": (lambda yes, no: yes, True),
    "no": (lambda yes, no: no, False),
    "yes & yes": (lambda yes, no: yes & yes, True),
    "yes & no": (lambda yes, no: yes & no, False),
    "no & yes": (lambda yes, no: no & yes, False),
    "yes | no": (lambda yes, no: yes | no, True),
    "no | yes": (lambda yes, no: no | yes, True),
    "no | no": (lambda yes, no: no | no, False),
    "~yes": (lambda yes, no: ~yes, False),
    "~no": (lambda yes, no: ~no, True),
    "~(yes & no)": (lambda yes, no: ~(yes & no), True),
    "(no | yes) & ~yes": (lambda yes, no: (no | yes) & ~yes, False),
    "AllowAny & no": (lambda yes, no: AllowAny & no, False),
    "AllowAny & ~no": (lambda yes, no: AllowAny & ~no, True),
}


class GroupView(generics.RetrieveAPIView[Any]):
    queryset = Group.objects.all()


class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/", PingConsumer.as_asgi())])})


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    async with no_leaks(get_channel_layer()):
        yield


def connected(
    authenticator: type[DjangoAuthenticator] | None, *guards: Any, where: str = "/ws/"
) -> WebsocketCommunicator:
    class Consumer(AsyncJsonWebsocketConsumer):
        authenticator_class = authenticator

        @ws_handler(guards=guards)
        async def handle_ping(self, message: PingMessage) -> PongMessage:
            return PongMessage()

    view: Any = Consumer.as_asgi()
    routes: list[Any] = [path("ws/", view), path("ws/<int:pk>/", view)]
    app: Any = AuthMiddlewareStack(URLRouter(routes))
    return WebsocketCommunicator(app, where, consumer=Consumer)


async def status(authenticator: type[DjangoAuthenticator], where: str = "/ws/") -> int:
    """Return what the client is told when it connects."""
    async with connected(authenticator, where=where) as ws:
        told: int = (await ws.receive_json_from())["payload"]["status_code"]
        if told != 200:
            await ws.assert_closed(4000 + told)
    return told


def authenticator(**attributes: Any) -> type[DjangoAuthenticator]:
    return type("Authenticator", (DjangoAuthenticator,), attributes)


def view(base: type = ChanxAuthView, **attributes: Any) -> type[DjangoAuthenticator]:
    return authenticator(auth_view_class=type("View", (base,), attributes))


# The places where a permission may stand: each tells whether it lets in. The object is a group.


async def of_an_authenticator(policy: Any, where: str) -> bool:
    objects = Group.objects.all() if where != "/ws/" else None
    return await status(authenticator(permission_classes=[policy], queryset=objects), where) == 200


async def of_a_view(policy: Any, where: str) -> bool:
    base = GroupView if where != "/ws/" else ChanxAuthView
    return await status(view(base, permission_classes=[policy]), where) == 200


async def of_a_method_of_a_view(policy: Any, where: str) -> bool:
    def get_permissions(self: Any) -> list[Any]:
        return [policy()]

    base = GroupView if where != "/ws/" else ChanxAuthView
    return await status(view(base, get_permissions=get_permissions), where) == 200


async def of_the_project(policy: Any, where: str) -> bool:
    objects = Group.objects.all() if where != "/ws/" else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(APIView, "permission_classes", [policy])
        return await status(authenticator(queryset=objects), where) == 200


async def of_a_guard(policy: Any, where: str) -> bool:
    found = authenticator(queryset=Group.objects.all()) if where != "/ws/" else None
    async with connected(found, policy, where=where) as ws:
        if found is not None:
            assert (await ws.receive_json_from())["payload"]["status_code"] == 200
        await ws.send_message(PingMessage())
        action: str = (await ws.receive_json_from())["action"]
    return action == "pong"


async def documents() -> int:
    found: int = (await AsyncClient().get("/schema/")).status_code
    return found


async def of_the_documents(policy: Any, where: str) -> bool:
    with override_settings(
        ASGI_APPLICATION=f"{__name__}.application", CHANX={"ASYNCAPI_ACCESS": [policy]}
    ):
        return await documents() == 200


PLACES = [
    of_an_authenticator,
    of_a_view,
    of_a_method_of_a_view,
    of_the_project,
    of_a_guard,
]
Place = Callable[[Any, str], Awaitable[bool]]


@pytest.mark.parametrize("style", ["async", "decorated", "awaitable"])
@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("place", [*PLACES, of_the_documents])
async def test_a_permission(place: Place, name: str, style: str) -> None:
    build, is_allowed = EXPRESSIONS[name]
    yes, no = (permission("has_permission", answer, style) for answer in (True, False))

    assert await place(build(yes, no), "/ws/") is is_allowed


@pytest.mark.parametrize("style", ["async", "decorated", "awaitable"])
@pytest.mark.parametrize("name", [name for name in EXPRESSIONS if "~" not in name])
@pytest.mark.parametrize("place", PLACES)
async def test_an_object_permission(place: Place, name: str, style: str) -> None:
    group = await Group.objects.acreate(name="readers")
    build, is_allowed = EXPRESSIONS[name]
    yes, no = (permission("has_object_permission", answer, style) for answer in (True, False))

    assert await place(build(yes, no), f"/ws/{group.pk}/") is is_allowed


@pytest.mark.parametrize(("answer", "is_allowed"), [(True, False), (False, True)])
@pytest.mark.parametrize("place", PLACES)
async def test_the_opposite_of_an_object_permission(
    place: Place, answer: bool, is_allowed: bool
) -> None:
    """What is negated answers both questions alike: `~` turns each of them round."""

    class Asked(BasePermission):
        async def has_permission(self, request: Any, view: Any) -> bool:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # the point of it
            return answer

        async def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # the point of it
            assert obj.name == "readers"
            return answer

    group = await Group.objects.acreate(name="readers")

    assert await place(~Asked, f"/ws/{group.pk}/") is is_allowed


class IsMember(BasePermission):
    """Asks the database asynchronously, and has words of its own."""

    message = "Members only"
    code = "no_member"

    async def has_object_permission(self, request: Any, view: Any, obj: Group) -> bool:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # the point of it
        found: bool = await request.user.groups.filter(pk=obj.pk).aexists()
        return found


async def test_the_database_and_the_words_of_a_permission() -> None:
    group = await Group.objects.acreate(name="readers")
    ada = await User.objects.acreate(username="ada")
    await ada.groups.aadd(group)
    client = Client()
    await client.aforce_login(ada)
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
    sessions = authenticator(
        authentication_classes=[SessionAuthentication],
        permission_classes=[IsMember],
        queryset=Group.objects.all(),
    )
    ws = connected(sessions, IsMember, where=f"/ws/{group.pk}/")
    ws.scope["headers"].append((b"cookie", cookie))
    async with ws:
        assert (await ws.receive_json_from())["payload"]["status_code"] == 200
        await ws.send_message(PingMessage())
        assert (await ws.receive_json_from())["action"] == "pong"

        await ada.groups.aclear()
        await ws.send_message(PingMessage())
        assert (await ws.receive_json_from())["payload"] == [
            {"type": "no_member", "loc": [], "msg": "Members only"}
        ]
    refused = connected(sessions, where=f"/ws/{group.pk}/")
    refused.scope["headers"].append((b"cookie", cookie))
    async with refused:
        told = (await refused.receive_json_from())["payload"]
        assert (told["status_code"], told["data"]) == (403, {"detail": "Members only"})


async def test_a_view_sees_the_permissions_it_named() -> None:
    """And an operator that it put together itself is awaited all the same."""
    seen: list[bool] = []

    class View(ChanxAuthView):
        def get_permissions(self) -> list[Any]:
            no = permission("has_permission", False, "async")
            return [IsMember(), AND(AllowAny(), no())]

        def check_permissions(self, request: Any) -> None:
            first, second = self.get_permissions()
            seen.extend([isinstance(first, IsMember), isinstance(second, AND)])
            super().check_permissions(request)

    assert await status(authenticator(auth_view_class=View)) == 403
    assert seen == [True, True]


async def test_a_permission_that_fails_denies() -> None:
    class Broken(BasePermission):
        async def has_permission(self, request: Any, view: Any) -> bool:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # the point of it
            raise RuntimeError("a secret")

    ws = connected(authenticator(permission_classes=[Broken]))
    await ws.connect()
    await ws.assert_closed(4500)
    await ws.wait()
    assert await of_a_guard(Broken, "/ws/") is False


# Throttles


def throttle(answer: bool, is_decorated: bool) -> type[BaseThrottle]:
    class Throttle(BaseThrottle):
        seconds = 0

        async def ask(self) -> bool:
            self.seconds = 30
            return answer

        def allow_request(self, request: Any, view: Any) -> bool:
            return self.ask()  # type: ignore[return-value] # pyright: ignore[reportReturnType] # the point of it

        def wait(self) -> float:
            return self.seconds

    class Async(Throttle):
        async def allow_request(self, request: Any, view: Any) -> bool:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # the point of it
            return await self.ask()

        async def wait(self) -> float:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # the point of it
            return self.seconds

    return Throttle if is_decorated else Async


@pytest.mark.parametrize("is_decorated", [True, False])
@pytest.mark.parametrize(("answer", "expected"), [(True, 200), (False, 429)])
async def test_throttles(answer: bool, expected: int, is_decorated: bool) -> None:
    throttled = throttle(answer, is_decorated)

    def get_throttles(self: Any) -> list[Any]:
        return [throttled()]

    assert await status(view(throttle_classes=[throttled])) == expected
    assert await status(view(get_throttles=get_throttles)) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(APIView, "throttle_classes", [throttled])
        assert await status(DjangoAuthenticator) == expected
        with override_settings(
            ASGI_APPLICATION=f"{__name__}.application", CHANX={"ASYNCAPI_ACCESS": [AllowAny]}
        ):
            response = await AsyncClient().get("/schema/")
    assert response.status_code == expected
    assert response.headers.get("Retry-After") == (None if answer else "30")


# Authentication


class Tickets(BaseAuthentication):
    async def authenticate(self, request: Any) -> Any:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # the point of it
        name = request.query_params.get("ticket")
        if name is None:
            return None
        user = await User.objects.filter(username=name).afirst()
        if user is None:
            raise AuthenticationFailed("No such ticket")
        return user, name

    async def authenticate_header(self, request: Any) -> str:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # the point of it
        return "Ticket"


async def test_an_authentication_class() -> None:
    class IsKnown(BasePermission):
        def has_permission(self, request: Any, view: Any) -> bool:
            is_tickets = isinstance(request.successful_authenticator, Tickets)
            return bool(is_tickets and request.user.username == request.auth == "ada")

    await User.objects.acreate(username="ada")
    tickets = authenticator(authentication_classes=[Tickets], permission_classes=[IsKnown])

    assert await status(tickets, "/ws/?ticket=ada") == 200
    assert await status(tickets, "/ws/?ticket=bob") == 401
    assert await status(tickets) == 401


async def test_an_authentication_class_that_returns_an_awaitable() -> None:
    """Only `async def` is awaited; anything else that the framework cannot unpack is refused."""

    class Decorated(BaseAuthentication):
        def authenticate(self, request: Any) -> Any:
            return Later(True)

    ws = connected(authenticator(authentication_classes=[Decorated]))
    await ws.connect()
    await ws.assert_closed(4500)
    await ws.wait()


async def test_an_authentication_class_in_front_of_the_documents() -> None:
    await User.objects.acreate(username="ada")
    with (
        pytest.MonkeyPatch.context() as patch,
        override_settings(
            ASGI_APPLICATION=f"{__name__}.application",
            CHANX={"ASYNCAPI_ACCESS": [IsAuthenticated]},
        ),
    ):
        patch.setattr(APIView, "authentication_classes", [Tickets])
        allowed = await AsyncClient().get("/schema/?ticket=ada")
        refused = await AsyncClient().get("/schema/?ticket=bob")

    assert allowed.status_code == 200
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Ticket")


def test_documents_name_its_scheme() -> None:
    class Consumer(PingConsumer):
        authenticator_class = authenticator(
            authentication_classes=[Tickets], permission_classes=[IsMember]
        )

    routes = discover_routes(URLRouter([path("ws/", Consumer.as_asgi())]))
    schemes = generate_document(routes)["components"]["securitySchemes"]

    assert "`Ticket`" in next(iter(schemes.values()))["description"]


# Methods of views


@pytest.mark.parametrize(
    "name",
    [
        "initial",
        "check_permissions",
        "check_object_permissions",
        "check_throttles",
        "get_permissions",
        "get_object",
        "permission_denied",
    ],
)
def test_methods_that_the_framework_does_not_await_are_refused(name: str) -> None:
    async def method(self: Any, *args: Any, **kwargs: Any) -> None: ...

    with pytest.raises(
        TypeError,
        match=rf"View.{name}\(\) of auth_view_class of Authenticator must not be async",
    ):
        view(ChanxAuthView, **{name: method})


# Guards


class ByAction(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(view.action == "create")


async def test_a_guard_is_asked_whatever_the_view_asks() -> None:
    """A view of the project's may choose permissions by itself; those were asked at the door."""

    class View(viewsets.ModelViewSet[Any]):
        queryset = Group.objects.all()

        def get_permissions(self) -> list[Any]:
            return [AllowAny()]

        def check_permissions(self, request: Any) -> None:
            """Ask nothing."""

    group = await Group.objects.acreate(name="readers")
    no = permission("has_permission", False, "async")
    for guard, expected in ((no, "error"), (ByAction, "pong")):
        ws = connected(authenticator(auth_view_class=View), guard, where=f"/ws/{group.pk}/")
        async with ws:
            assert (await ws.receive_json_from())["payload"]["status_code"] == 200
            await ws.send_message(PingMessage())
            assert (await ws.receive_json_from())["action"] == expected
