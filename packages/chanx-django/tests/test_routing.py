"""Addresses of a project's consumers, as clients use them."""

import sys
from types import ModuleType
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.test import override_settings

from chanx.asyncapi import Parameter
from chanx.channels.discovery import discover_routes
from chanx.channels.routing import include, path, re_path
from chanx.channels.utils import get_websocket_application
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


class ForeignConsumer(AsyncWebsocketConsumer):
    pass


PING = PingConsumer.as_asgi()
router = URLRouter([path("ping/", PING)])
stack = AllowedHostsOriginValidator(AuthMiddlewareStack(router))
application = ProtocolTypeRouter({"websocket": stack})
only_http = ProtocolTypeRouter({"http": router})


def addresses(*routes: Any) -> list[str]:
    return [route.address for route in discover_routes(URLRouter(list(routes)))]


def test_converters_become_parameters() -> None:
    (route,) = discover_routes(URLRouter([path("ws/<int:pk>/<name>/", PING)]))

    assert route.address == "/ws/{pk}/{name}/"
    assert route.parameters == (Parameter("pk", "int"), Parameter("name", "str"))
    assert route.consumer is PingConsumer


@pytest.mark.parametrize(
    ("regex", "address", "parameters"),
    [
        (r"^ws/chat/$", "/ws/chat/", {}),
        (r"^ws/(?P<pk>\d+)/$", "/ws/{pk}/", {"pk": r"\d+"}),
        (
            r"ws/(?P<code>(?:[a-z]{2}(-[A-Z)]{2})?)+)/x$",
            "/ws/{code}/x",
            {"code": r"(?:[a-z]{2}(-[A-Z)]{2})?)+"},
        ),
        (r"^ws/(?P<price>\$\d+\))/$", "/ws/{price}/", {"price": r"\$\d+\)"}),
        (r"^ws/(?P<kind>a|b)/(?P<pk>\d+)?$", "/ws/{kind}/{pk}", {"kind": "a|b", "pk": r"\d+"}),
        (r"^ws/(\d+)/$", "/ws/{_0}/", {"_0": "..."}),
        (r"^ws/(?:old|(?:a|b)c)/(?P<pk>\d+)$", "/ws/old/{pk}", {"pk": r"\d+"}),
        (r"^a/(?P<pk>[(|]+)$|^b/$", "/a/{pk}", {"pk": "[(|]+"}),
    ],
)
def test_regular_expressions_become_addresses(
    regex: str, address: str, parameters: dict[str, str]
) -> None:
    (route,) = discover_routes(URLRouter([re_path(regex, PING)]))

    assert route.address == address
    assert route.parameters == tuple(
        Parameter(name, f"regex: {pattern}") for name, pattern in parameters.items()
    )


def test_nested_routers_with_all_their_parameters() -> None:
    inner = URLRouter([path("<slug:room>/", PING), re_path(r"^(?P<line>\d+)$", PING)])
    outer = URLRouter([path("team/<int:team>", inner), path("", router)])

    routes = discover_routes(URLRouter([path("ws/", outer)]))

    assert [route.address for route in routes] == [
        "/ws/team/{team}/{room}/",
        "/ws/team/{team}/{line}",
        "/ws/ping/",
    ]
    assert [parameter.name for parameter in routes[0].parameters] == ["team", "room"]


def test_middleware_at_every_level() -> None:
    inner = AuthMiddlewareStack(URLRouter([path("a/", AuthMiddlewareStack(PING))]))
    outer = AllowedHostsOriginValidator(URLRouter([path("ws/", inner)]))

    assert [route.address for route in discover_routes(outer)] == ["/ws/a/"]


def test_what_serves_no_consumer_is_left_out() -> None:
    async def plain(scope: Any, receive: Any, send: Any) -> None: ...

    assert addresses(
        path("plain/", plain),
        path("foreign/", ForeignConsumer.as_asgi()),
        path("ws/", PING),
    ) == ["/ws/"]


def test_the_project_is_asked_by_default() -> None:
    with override_settings(ASGI_APPLICATION=f"{__name__}.application"):
        assert [route.address for route in discover_routes()] == ["/ping/"]
    with override_settings(ASGI_APPLICATION=f"{__name__}.only_http"):
        assert discover_routes() == ()


def test_a_whole_application_may_be_asked() -> None:
    assert [route.address for route in discover_routes(application)] == ["/ping/"]
    assert discover_routes(only_http) == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("application", stack),
        ("only_http", None),
        ("router", router),
        ("stack", stack),
        ("PING", None),
    ],
)
def test_the_websocket_application_with_its_middleware(name: str, found: Any) -> None:
    with override_settings(ASGI_APPLICATION=f"{__name__}.{name}"):
        assert get_websocket_application() is found


def test_without_an_application_there_is_none() -> None:
    assert get_websocket_application() is None


def test_routers_to_include(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("chat_routing")
    monkeypatch.setitem(sys.modules, "chat_routing", module)
    with pytest.raises(TypeError, match="chat_routing must have a URLRouter named 'router'"):
        include(module)
    monkeypatch.setattr(module, "router", router, raising=False)

    assert include(router) is include(module) is include("chat_routing") is router
    assert addresses(path("ws/", include("chat_routing"))) == ["/ws/ping/"]


@pytest.mark.parametrize("wrong", [PingConsumer, PingConsumer()], ids=["class", "instance"])
def test_the_application_is_what_is_routed(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"path\('ws/'\) .*: write PingConsumer\.as_asgi\(\)"):
        path("ws/", wrong)
    with pytest.raises(TypeError, match=r"re_path\('ws/'\) .*: write PingConsumer\.as_asgi\(\)"):
        re_path("ws/", wrong)


def test_a_leading_slash_matches_nothing() -> None:
    with pytest.raises(ValueError, match=r"path\('/ws/'\) would match nothing, .*: write 'ws/'"):
        path("/ws/", PING)
    with pytest.raises(ValueError, match=r"would match nothing, .*: write '\^ws/'"):
        re_path("^/ws/", PING)


def test_routes_have_names_and_defaults() -> None:
    route = path("a/", PING, {"kind": "x"}, name="first")

    assert route.name == "first"
    assert route.default_args == {"kind": "x"}
    assert re_path("^b/$", PING, name="second").name == "second"
