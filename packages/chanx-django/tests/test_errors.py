"""Exceptions of Django and Django REST framework that answer a message."""

import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import Http404
from django.utils.translation import gettext_lazy
from rest_framework import exceptions as rest
from rest_framework import serializers
from rest_framework.permissions import BasePermission

from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.testing import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx_conformance.framework_errors import (
    BuyMessage,
    assert_answered,
    assert_event_answered,
    assert_next_is_handled,
    raising,
)

pytestmark = pytest.mark.django_db(transaction=True)  # consumers look after the connections


class SeatSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField()
    name = serializers.CharField(max_length=3)

    def validate(self, attrs: Any) -> Any:
        raise serializers.ValidationError("Nobody sits there", "empty")


def invalid(data: Any, *, many: bool = False) -> Exception:
    """Return what a serializer raises."""
    with pytest.raises(rest.ValidationError) as raised:
        SeatSerializer(data=data, many=many).is_valid(raise_exception=True)
    return raised.value


def item(code: str, text: str, status: int, *loc: str | int) -> dict[str, Any]:
    return {"type": code, "loc": [*loc], "msg": text, "status": status}


class Teapot(rest.APIException):
    status_code = 418
    default_code = "teapot"
    default_detail = gettext_lazy("I am a teapot")


FORBIDDEN = "You do not have permission to perform this action."
CASES: dict[str, tuple[Exception, list[dict[str, Any]]]] = {
    "404": (Http404(), [item("not_found", "Not found.", 404)]),
    "404 with a text": (Http404("No such room"), [item("not_found", "No such room", 404)]),
    "403": (PermissionDenied(), [item("permission_denied", FORBIDDEN, 403)]),
    "403 with a text": (PermissionDenied("Not you"), [item("permission_denied", "Not you", 403)]),
    "one text": (ValidationError("Wrong"), [item("invalid", "Wrong", 400)]),
    "code and parameters": (
        ValidationError(gettext_lazy("%(n)s seats"), code="few", params={"n": 3}),
        [item("few", "3 seats", 400)],
    ),
    "several": (
        ValidationError([ValidationError("A", code="a"), "B"]),
        [item("a", "A", 400), item("invalid", "B", 400)],
    ),
    "fields": (
        ValidationError({"row": ["A", ValidationError("B", code="b")], NON_FIELD_ERRORS: ["C"]}),
        [
            item("invalid", "A", 400, "row"),
            item("b", "B", 400, "row"),
            item("invalid", "C", 400),
        ],
    ),
    "nothing said": (ValidationError([]), [item("invalid", "Invalid input.", 400)]),
    "API": (Teapot(), [item("teapot", "I am a teapot", 418)]),
    "API with a text": (rest.NotFound("Gone", "gone"), [item("gone", "Gone", 404)]),
    "API failure": (rest.APIException("Later"), [item("error", "Later", 500)]),
    "serializer": (
        invalid({"name": "long"}),
        [
            item("required", "This field is required.", 400, "row"),
            item("max_length", "Ensure this field has no more than 3 characters.", 400, "name"),
        ],
    ),
    "serializer as a whole": (
        invalid({"row": 1, "name": "a"}),
        [item("empty", "Nobody sits there", 400)],
    ),
    "serializers": (
        invalid([{"row": 1, "name": "a"}, {"row": "x", "name": "a"}], many=True),
        [
            item("empty", "Nobody sits there", 400, 0),
            item("invalid", "A valid integer is required.", 400, 1, "row"),
        ],
    ),
    "API with nothing said": (
        rest.ValidationError({}),
        [item("invalid", "Invalid input.", 400)],
    ),
}


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    async with no_leaks(get_channel_layer()):
        yield


def in_permission(error: Exception) -> type[AsyncJsonWebsocketConsumer]:
    class Raising(BasePermission):
        def has_permission(self, request: Any, view: Any) -> bool:
            raise error

    class ShopConsumer(AsyncJsonWebsocketConsumer):
        @ws_handler(guards=[Raising])
        async def handle_buy(self, message: BuyMessage) -> None: ...

    return ShopConsumer


def connection(consumer: type[AsyncJsonWebsocketConsumer[Any]]) -> WebsocketCommunicator:
    application: Any = consumer.as_asgi()
    return WebsocketCommunicator(application, "/ws/", consumer=consumer)


@pytest.mark.parametrize("case", CASES)
async def test_exception_answers_a_message(case: str, caplog: pytest.LogCaptureFixture) -> None:
    """With code, text, place and status; the log has no traceback, and the connection goes on."""
    error, items = CASES[case]
    async with connection(raising(AsyncJsonWebsocketConsumer, error)) as ws:
        await assert_answered(ws, items)
        await assert_next_is_handled(ws)
    assert "Traceback" not in caplog.text


async def test_exception_of_an_event_handler_reaches_the_client() -> None:
    consumer = raising(AsyncJsonWebsocketConsumer, Http404("No such room"))
    async with connection(consumer) as ws:
        await assert_event_answered(ws, [item("not_found", "No such room", 404)])


@pytest.mark.parametrize("case", ["404", "403 with a text", "fields"])
async def test_exception_of_a_permission_class_answers_a_message(case: str) -> None:
    error, items = CASES[case]
    async with connection(in_permission(error)) as ws:
        await ws.send_message(BuyMessage())
        assert (await ws.receive_json_from())["payload"] == items


async def test_many_errors_are_counted() -> None:
    """As those of an invalid message are: ten items at most, and one that counts the rest."""
    error = invalid([{"name": "a"}] * 200, many=True)
    async with connection(raising(AsyncJsonWebsocketConsumer, error)) as ws:
        await ws.send_message(BuyMessage())
        frame = await ws.receive_json_from()

    assert [entry["loc"] for entry in frame["payload"][:10]] == [[n, "row"] for n in range(10)]
    assert frame["payload"][10:] == [
        {"type": "too_many_errors", "loc": [], "msg": "190 more errors"}
    ]


def test_a_project_without_rest_framework_does_not_import_it() -> None:
    code = (
        "import sys; from django.conf import settings; settings.configure(); import django; django.setup();"
        "from chanx.channels.websocket import AsyncJsonWebsocketConsumer as C;"
        "assert C.spec.integration.error_items_of(ValueError()) is None; assert 'rest_framework' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
