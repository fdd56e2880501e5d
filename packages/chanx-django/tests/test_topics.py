"""Topics with Django: its exceptions in `authorize()`, permission classes, and the database."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework import exceptions as rest
from rest_framework.permissions import BasePermission

from chanx.channels.authenticator import DjangoAuthenticator
from chanx.channels.routing import path
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.core.topic import Topic
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx_conformance.framework_errors import BuyMessage

pytestmark = pytest.mark.django_db(transaction=True)
FORBIDDEN = "You do not have permission to perform this action."


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    async with no_leaks(get_channel_layer()):
        yield


class Polite(BasePermission):
    """Looks at the message, and at the parameters of the path and the topic."""

    message = "Say please"
    code = "impolite"

    def has_permission(self, request: Any, view: Any) -> bool:
        assert view.kwargs == {"town": "rome", "pk": 1}
        assert view.consumer.topic == "shop:1"
        assert request.data == {"action": "buy", "payload": view.message.payload}
        if view.message.payload == "nothing":
            raise rest.NotFound("No such item")
        return "please" in view.message.payload


class ShopTopic(Topic[Any]):
    pattern = "shop:{pk}"
    error: ClassVar[Exception | None] = None

    async def authorize(self, pk: int) -> bool:
        if self.error is not None:
            raise self.error
        await Group.objects.aget(pk=pk)
        return True

    @ws_handler(guards=[Polite])
    async def handle_buy(self, message: BuyMessage) -> BuyMessage:
        return message


class ShopConsumer(AsyncJsonWebsocketConsumer[Any]):
    topics: ClassVar[Any] = [ShopTopic]


class Everybody(DjangoAuthenticator):
    """Admits every client."""


class GuardedConsumer(ShopConsumer):
    authenticator_class = Everybody
    send_authentication_message = False


def connection(
    consumer: type[AsyncJsonWebsocketConsumer[Any]] = ShopConsumer,
) -> WebsocketCommunicator:
    application: Any = URLRouter([path("ws/<str:town>/", consumer.as_asgi())])
    return WebsocketCommunicator(application, "/ws/rome/", consumer=consumer)


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (PermissionDenied(), "permission_denied", FORBIDDEN),
        (PermissionDenied("Not you"), "permission_denied", "Not you"),
        (Http404("No such shop"), "not_found", "No such shop"),
        (ValidationError("Wrong", code="odd"), "odd", "Wrong"),
        (rest.NotAuthenticated("Log in"), "not_authenticated", "Log in"),
        (rest.Throttled(detail="Later"), "throttled", "Later"),
    ],
    ids=repr,
)
async def test_exception_refuses_a_topic(
    error: Exception,
    reason: str,
    detail: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its code and its text; it is no failure, and the connection goes on."""
    await Group.objects.acreate(pk=1, name="shop")
    async with connection() as ws:
        with monkeypatch.context() as patch:
            patch.setattr(ShopTopic, "error", error)
            refused = await ws.subscribe("shop:1")
        assert refused["payload"] == {"reason": reason, "detail": detail}
        assert (await ws.subscribe("shop:1"))["action"] == "subscribed"
    assert "Traceback" not in caplog.text


async def test_what_the_database_does_not_have_is_a_failure() -> None:
    """As in a view: `get()` that finds nothing is a mistake of the application."""
    async with connection() as ws:
        assert (await ws.subscribe("shop:2"))["payload"]["reason"] == "unavailable"


@pytest.mark.parametrize("consumer", [ShopConsumer, GuardedConsumer])
async def test_permission_class_of_a_topic(
    consumer: type[AsyncJsonWebsocketConsumer[Any]],
) -> None:
    """It sees the message and all parameters, whoever has authenticated the client."""
    await Group.objects.acreate(pk=1, name="shop")
    async with connection(consumer) as ws:
        await ws.subscribe("shop:1")
        said = BuyMessage(payload="tea please")
        assert await ws.request(said, BuyMessage, topic="shop:1") == said
        for payload, code, text in (
            ("tea", "impolite", "Say please"),
            ("nothing", "not_found", "No such item"),
        ):
            await ws.send_message(BuyMessage(payload=payload), topic="shop:1", ref="7")
            frame = await ws.receive_json_from()
            assert (frame["action"], frame["topic"], frame["ref"]) == ("error", "shop:1", "7")
            assert [(item["type"], item["msg"]) for item in frame["payload"]] == [(code, text)]
