"""Permission classes of Django REST framework before each message."""

import asyncio
from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any, Literal

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.contrib.auth.models import AbstractUser, Group, Permission, User
from django.test import Client
from django.utils.functional import cached_property as django_cached_property
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import (
    BasePermission,
    DjangoModelPermissions,
    IsAdminUser,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
)

from chanx.channels.authenticator import DjangoAuthenticator
from chanx.channels.routing import path
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.core.guards import DeniedError, Guard
from chanx.messages.base import BaseMessage
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks

pytestmark = pytest.mark.django_db(transaction=True)


class PostMessage(BaseMessage):
    action: Literal["post"] = "post"
    payload: str = ""


class PostedMessage(BaseMessage):
    action: Literal["posted"] = "posted"
    payload: str = ""


class NoShouting(BasePermission):
    """Looks at the message."""

    message = "Do not shout"
    code = "shouting"

    def has_permission(self, request: Any, view: Any) -> bool:
        assert request.method == "POST"
        assert request.data == {"action": "post", "payload": view.message.payload}
        assert view.kwargs == view.consumer.url_params
        return bool(view.message.payload != "HEY")


class IsMember(BasePermission):
    message = "Members only"
    code = "no_member"

    def has_object_permission(self, request: Any, view: Any, obj: Group) -> bool:
        return request.user.groups.filter(pk=obj.pk).exists() is True


class IsReader(BasePermission):
    def has_object_permission(self, request: Any, view: Any, obj: Group) -> bool:
        return obj.name == "readers"


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    async with no_leaks(get_channel_layer()):
        yield


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def readers(ada: User) -> Group:
    readers = Group.objects.create(name="readers")
    ada.groups.add(readers)
    return readers


def guarded(*guards: Any, authenticator: Any = None) -> type[AsyncJsonWebsocketConsumer]:
    class GuardedConsumer(AsyncJsonWebsocketConsumer):
        authenticator_class = authenticator

        @ws_handler(guards=guards)
        async def handle_post(self, message: PostMessage) -> PostedMessage:
            return PostedMessage(payload=message.payload)

    return GuardedConsumer


def socket(
    consumer: type[AsyncJsonWebsocketConsumer], user: User | None = None, where: str = "/ws/"
) -> WebsocketCommunicator:
    view: Any = consumer.as_asgi()
    routes: list[Any] = [path("ws/", view), path("ws/<int:pk>/", view)]
    application: Any = URLRouter(routes)
    ws = WebsocketCommunicator(application, where, consumer=consumer)
    if user is not None:
        ws.scope["user"] = user
    return ws


async def said(ws: WebsocketCommunicator, text: str = "hello") -> Any:
    """Return what a message is answered by, without its frame."""
    await ws.send_message(PostMessage(payload=text))
    frame = await ws.receive_json_from()
    return frame["payload"]


def denied(code: str, message: str) -> list[dict[str, Any]]:
    return [{"type": code, "loc": [], "msg": message}]


async def test_each_message_is_asked_about() -> None:
    """The answer has the permission's own code and text, and the connection stays."""
    async with socket(guarded(NoShouting), where="/ws/3/") as ws:
        assert await said(ws) == "hello"
        assert await said(ws, "HEY") == denied("shouting", "Do not shout")
        assert await said(ws, "sorry") == "sorry"


async def test_nobody_is_not_authenticated(ada: User) -> None:
    missing = denied("not_authenticated", "Authentication credentials were not provided.")
    consumer = guarded(IsAuthenticated)

    async with socket(consumer) as ws:
        assert await said(ws) == missing
    async with socket(consumer, ada) as ws:
        assert await said(ws) == "hello"


async def test_a_message_is_no_reading() -> None:
    """What lets everybody read refuses nobody's messages."""
    async with socket(guarded(IsAuthenticatedOrReadOnly)) as ws:
        assert (await said(ws))[0]["type"] == "not_authenticated"


async def test_a_refused_message_has_a_code_by_default(ada: User) -> None:
    async with socket(guarded(IsAdminUser), ada) as ws:
        assert await said(ws) == denied(
            "permission_denied", "You do not have permission to perform this action."
        )


async def test_expressions(ada: User) -> None:
    async with socket(guarded((IsAuthenticated & NoShouting) | IsAdminUser), ada) as ws:
        assert await said(ws) == "hello"
        assert await said(ws, "HEY") == denied("shouting", "Do not shout")
    async with socket(guarded(~IsAuthenticated), ada) as ws:
        assert (await said(ws))[0]["type"] == "permission_denied"


class Yes(BasePermission):
    message = "Said for a yes"
    code = "yes"


class No(BasePermission):
    message = "No"
    code = "no"

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class AsyncNo(BasePermission):
    message = "Not now"

    async def has_permission(self, request: Any, view: Any) -> bool:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        return False


class Silent(No):
    message = None  # type: ignore[assignment]
    code = None  # type: ignore[assignment]


class Told(BasePermission):
    """Decides about its message when it is asked."""

    def has_permission(self, request: Any, view: Any) -> bool:
        self.message = f"Not {view.message.payload}"
        return False


NO = ("no", "No")
DEFAULT = ("permission_denied", "You do not have permission to perform this action.")
EXPRESSIONS: dict[str, tuple[Any, tuple[str, str]]] = {
    "first of and": (No & Yes, NO),
    "second of and": (Yes & No, NO),
    "only the first is asked": (No & AsyncNo, NO),
    "async": (Yes & AsyncNo, ("permission_denied", "Not now")),
    "decided when asked": (Yes & Told, ("permission_denied", "Not hello")),
    "or": (No | AsyncNo, NO),
    "the alternative with a message": (Silent | No, NO),
    "no message": (Yes & Silent, DEFAULT),
    "not": (~Yes, DEFAULT),
    "not in and": (Yes & ~Yes, DEFAULT),
    "not in or": (~Yes | No, NO),
    "twice not": (~~No, NO),
    "nested": (Yes & (Silent | (Yes & No)), NO),
    "an alternative that was met": ((AsyncNo | Yes) & No, NO),
    "not of or": (~(No | Yes), DEFAULT),
    "not of and": (~(Yes & ~No), NO),
    "and, with not": (~(~Yes | ~No), NO),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
async def test_an_expression_has_the_words_of_the_operand_that_refused(
    name: str, ada: User
) -> None:
    expression, words = EXPRESSIONS[name]
    async with socket(guarded(expression), ada) as ws:
        assert await said(ws) == denied(*words)


async def test_an_expression_with_words_of_its_own_is_heard_before_the_login() -> None:
    """As a single permission is: nobody is logged in here."""
    async with socket(guarded(NoShouting & IsAuthenticated)) as ws:
        assert await said(ws, "HEY") == denied("shouting", "Do not shout")
        assert (await said(ws))[0]["type"] == "not_authenticated"


async def test_several_guards_of_both_kinds(ada: User) -> None:
    class Quiet(Guard):
        async def check(self, consumer: Any, message: BaseMessage) -> None:
            if isinstance(message, PostMessage) and not message.payload:
                raise DeniedError("empty", "Say something")

    async with socket(guarded(IsAuthenticated, Quiet(), NoShouting), ada) as ws:
        assert await said(ws, "") == denied("empty", "Say something")
        assert await said(ws, "HEY") == denied("shouting", "Do not shout")
        assert await said(ws) == "hello"


# What changes while the connection lasts


class Members(DjangoAuthenticator):
    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated, IsMember)
    queryset = Group.objects.all()


async def test_the_object_of_the_connection(ada: User, readers: Group) -> None:
    """Who is put out of a group is refused from then on."""
    consumer = guarded(IsMember, authenticator=Members)
    async with socket(consumer, ada, f"/ws/{readers.pk}/") as ws:
        await ws.receive_json_from()
        assert await said(ws) == "hello"

        await ada.groups.aremove(readers)
        assert await said(ws) == denied("no_member", "Members only")

        await ada.groups.aadd(readers)
        assert await said(ws) == "hello"


@pytest.mark.parametrize("expression", [IsAuthenticated & IsMember, IsAdminUser | IsMember])
async def test_expressions_of_object_permissions(
    expression: Any, ada: User, readers: Group
) -> None:
    """And of the connection itself, which is told in the authentication message."""
    authenticator = type("Members", (Members,), {"permission_classes": (expression,)})
    consumer = guarded(expression, authenticator=authenticator)
    async with socket(consumer, ada, f"/ws/{readers.pk}/") as ws:
        await ws.receive_json_from()
        assert await said(ws) == "hello"
        await ada.groups.aremove(readers)
        assert await said(ws) == denied("no_member", "Members only")

    ws = socket(consumer, ada, f"/ws/{readers.pk}/")
    await ws.connect()
    told = (await ws.receive_json_from())["payload"]
    assert (told["status_code"], told["data"]) == (403, {"detail": "Members only"})
    await ws.assert_closed(4403)
    await ws.wait()


async def test_user_and_object_are_read_anew(ada: User, readers: Group) -> None:
    consumer = guarded(IsAuthenticated, IsReader, authenticator=Members)
    async with socket(consumer, ada, f"/ws/{readers.pk}/") as ws:
        await ws.receive_json_from()
        assert await said(ws) == "hello"

        await Group.objects.filter(pk=readers.pk).aupdate(name="writers")
        assert (await said(ws))[0]["type"] == "permission_denied"

        await Group.objects.filter(pk=readers.pk).aupdate(name="readers")
        await User.objects.filter(pk=ada.pk).aupdate(is_active=False)
        assert (await said(ws))[0]["type"] == "not_authenticated"


async def test_what_is_no_more(ada: User, readers: Group) -> None:
    consumer = guarded(IsAuthenticated, authenticator=Members)
    async with socket(consumer, ada, f"/ws/{readers.pk}/") as ws:
        await ws.receive_json_from()
        await Group.objects.all().adelete()
        assert await said(ws) == denied("not_found", "Not found.")
        await User.objects.all().adelete()
        assert (await said(ws))[0]["type"] == "not_authenticated"


async def test_permissions_of_the_user_are_read_anew(ada: User, readers: Group) -> None:
    """Django keeps them on the user, whom a connection holds for long."""
    adding = await Permission.objects.aget(codename="add_group")
    await ada.user_permissions.aadd(adding)
    consumer = guarded(DjangoModelPermissions, authenticator=Members)
    async with socket(consumer, ada, f"/ws/{readers.pk}/") as ws:
        await ws.receive_json_from()
        assert await said(ws) == "hello"
        await ada.user_permissions.aremove(adding)
        assert (await said(ws))[0]["type"] == "permission_denied"


class Employee(User):
    """A user who keeps what was worked out about them."""

    class Meta(AbstractUser.Meta):
        app_label = "auth"
        proxy = True

    @django_cached_property
    def group_names(self) -> list[str]:
        return list(self.groups.values_list("name", flat=True))

    @cached_property
    def is_reader(self) -> bool:
        return "readers" in self.group_names


class IsReadingEmployee(BasePermission):
    message = "Readers only"
    code = "no_reader"

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.is_reader)


async def test_cached_properties_of_the_user_are_worked_out_anew(ada: User, readers: Group) -> None:
    """Both Django's and Python's, and only for guards: what handlers hold stays as it is."""
    employee = await Employee.objects.aget(pk=ada.pk)
    async with socket(guarded(IsReadingEmployee), employee) as ws:
        assert await sync_to_async(lambda: employee.is_reader)() is True
        assert await said(ws) == "hello"
        await ada.groups.aremove(readers)
        assert await said(ws) == denied("no_reader", "Readers only")
        assert vars(employee)["is_reader"] is True


async def test_the_users_of_handlers_are_left_alone(ada: User) -> None:
    """A handler may be in the middle of changing the user that a guard reads."""

    class Renaming(AsyncJsonWebsocketConsumer):
        changed = asyncio.Event()
        message_concurrency = 2

        @ws_handler
        async def handle_who(self, message: PostedMessage) -> PostMessage:
            self.scope["user"].first_name = "Ada"
            await Renaming.changed.wait()
            return PostMessage(payload=self.scope["user"].first_name)

        @ws_handler(guards=[IsAuthenticated])
        async def handle_post(self, message: PostMessage) -> None:
            Renaming.changed.set()

    async with socket(Renaming, ada) as ws:
        await ws.send_message(PostedMessage())
        await ws.send_message(PostMessage())
        assert (await ws.receive_json_from())["payload"] == "Ada"


async def test_a_session_and_a_guard_together(ada: User) -> None:
    """The user that Channels puts into the scope is known to permissions without any authenticator."""
    consumer = guarded(IsAuthenticated)
    application: Any = AuthMiddlewareStack(consumer.as_asgi())
    client = Client()
    await client.aforce_login(ada)
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
    async with WebsocketCommunicator(
        application, "/ws/", [(b"cookie", cookie)], consumer=consumer
    ) as ws:
        assert await said(ws) == "hello"


async def test_a_permission_that_fails_keeps_the_message_out(ada: User) -> None:
    class Broken(BasePermission):
        def has_permission(self, request: Any, view: Any) -> bool:
            raise RuntimeError("a secret")

    async with socket(guarded(Broken), ada) as ws:
        assert await said(ws) == {"detail": "Failed to process message for post"}


@pytest.mark.parametrize("wrong", ["x", IsAuthenticated(), Group, None, 5])
def test_what_is_no_permission_class_is_refused(wrong: Any) -> None:
    with pytest.raises(
        TypeError, match=r"in the guards of GuardedConsumer.handle_post\(\) is not a Guard instance"
    ):
        guarded(wrong)
