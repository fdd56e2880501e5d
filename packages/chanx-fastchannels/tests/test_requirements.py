"""What FastAPI's dependencies need, in the document."""

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Query, Security
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPBasic,
    HTTPBearer,
    OAuth2AuthorizationCodeBearer,
    OAuth2PasswordBearer,
    OpenIdConnect,
)
from pydantic import BaseModel

from chanx.asyncapi import generate_document
from chanx.asyncapi.diff import compare_documents
from chanx.asyncapi.validation import validate_document
from chanx.core.authenticator import BaseAuthenticator, Credential
from chanx.core.decorators import ws_handler
from chanx.core.topic import Topic
from chanx.fast_channels.discovery import discover_routes
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage


class Order(Enum):
    NEWEST = "newest"
    OLDEST = "oldest"


class Page(BaseModel):
    page_size: int = 20
    cursor: str


def room_of(
    room: str,
    since: Annotated[int, Query(ge=0, description="A sequence number")],
    order: Order = Order.NEWEST,
    tags: Annotated[list[str] | None, Query(alias="tag")] = None,
    secret: Annotated[str, Query(include_in_schema=False)] = "",
) -> str:
    return room


def pk_of(pk: str) -> str:
    return pk


def device_of(x_device: Annotated[str, Header()], theme: Annotated[str, Cookie()] = "light") -> str:
    return x_device


class TellMessage(BaseMessage):
    action: Literal["tell"] = "tell"
    payload: str


class PlainConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_tell(self, message: TellMessage) -> None: ...

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None: ...


class RoomConsumer(PlainConsumer):
    room: Annotated[str, Depends(room_of)]
    device: Annotated[str, Depends(device_of)]


class PageConsumer(PlainConsumer):
    page: Annotated[Page, Query()]


def document_of(consumer: Any) -> Any:
    app = FastAPI()
    add_websocket_consumer(app, "/ws/{room}", consumer)
    document = generate_document(discover_routes(app))
    assert validate_document(document) == []
    return document


def binding_of(consumer: Any) -> Any:
    (channel,) = document_of(consumer)["channels"].values()
    return channel["bindings"]["ws"]


def test_parameters_of_the_query_and_the_headers() -> None:
    binding = binding_of(RoomConsumer)

    assert binding["query"] == {
        "type": "object",
        "properties": {
            "since": {"type": "integer", "minimum": 0, "description": "A sequence number"},
            "order": {
                "type": "string",
                "enum": ["newest", "oldest"],
                "title": "Order",
                "default": "newest",
            },
            "tag": {
                "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
                "default": None,
            },
        },
        "required": ["since"],
    }
    assert binding["headers"] == {
        "type": "object",
        "properties": {
            "x-device": {"type": "string"},
            "Cookie": {"type": "string", "description": "Contains the cookie theme"},
        },
        "required": ["x-device"],
    }


def test_parameters_in_a_model() -> None:
    query = binding_of(PageConsumer)["query"]

    assert list(query["properties"]) == ["page_size", "cursor"]
    assert query["required"] == ["cursor"]


def test_a_parameter_of_a_handler_is_not_required_from_the_connection() -> None:
    class HandlerConsumer(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_tell(
            self, message: TellMessage, room: Annotated[str, Depends(room_of)]
        ) -> None: ...

    query = binding_of(HandlerConsumer)["query"]

    assert list(query["properties"]) == ["since", "order", "tag"]
    assert "required" not in query


SCHEMES: dict[str, tuple[Any, Any]] = {
    "header_x_key": (
        APIKeyHeader(name="X-Key", description="From the profile"),
        {
            "type": "httpApiKey",
            "name": "X-Key",
            "in": "header",
            "description": "From the profile",
        },
    ),
    "query_key": (APIKeyQuery(name="key"), {"type": "httpApiKey", "name": "key", "in": "query"}),
    "cookie_session": (
        APIKeyCookie(name="session"),
        {"type": "httpApiKey", "name": "session", "in": "cookie"},
    ),
    "HTTPBearer": (
        HTTPBearer(bearerFormat="JWT"),
        {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    ),
    "HTTPBasic": (HTTPBasic(), {"type": "http", "scheme": "basic"}),
    "OAuth2PasswordBearer": (
        OAuth2PasswordBearer("https://a.example/token", scopes={"read": "Reads"}),
        {
            "type": "oauth2",
            "flows": {
                "password": {
                    "tokenUrl": "https://a.example/token",
                    "availableScopes": {"read": "Reads"},
                }
            },
        },
    ),
    "code": (
        OAuth2AuthorizationCodeBearer(
            "https://a.example/authorize", "https://a.example/token", scheme_name="code"
        ),
        {
            "type": "oauth2",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "https://a.example/authorize",
                    "tokenUrl": "https://a.example/token",
                    "availableScopes": {},
                }
            },
        },
    ),
    "OpenIdConnect": (
        OpenIdConnect(openIdConnectUrl="https://a.example/.well-known/openid-configuration"),
        {
            "type": "openIdConnect",
            "openIdConnectUrl": "https://a.example/.well-known/openid-configuration",
        },
    ),
}


def secured(*needed: Any) -> type[AsyncJsonWebsocketConsumer]:
    class SecuredConsumer(PlainConsumer):
        dependencies = needed

    return SecuredConsumer


@pytest.mark.parametrize("key", SCHEMES)
def test_security_schemes_of_the_connection(key: str) -> None:
    scheme, content = SCHEMES[key]
    before, document = document_of(secured()), document_of(secured(Depends(scheme)))

    assert document["components"]["securitySchemes"] == {key: content}
    reference = {"$ref": f"#/components/securitySchemes/{key}"}
    assert [one["security"] for one in document["operations"].values()] == [[reference]] * 3
    breaking = {change.rule for change in compare_documents(before, document) if change.breaking}
    assert breaking == {"security-added", "required-property-added"}


def test_a_scheme_that_requires_nothing_by_itself() -> None:
    consumer = secured(Depends(HTTPBearer(auto_error=False)))

    assert binding_of(consumer)["headers"] == {
        "type": "object",
        "properties": {"Authorization": {"type": "string"}},
    }


def test_a_scheme_inside_of_a_dependency_beside_that_of_the_authenticator() -> None:
    """The same one is there once, and one with another content has a key of its own."""

    class Authenticator(BaseAuthenticator):
        credentials = (Credential("key", "query"),)

        async def authenticate(self, scope: Any) -> bool:
            return True

    def user_of(
        key: Annotated[str, Depends(APIKeyQuery(name="key"))],
        one: Annotated[str, Security(OAuth2PasswordBearer("https://a.example/1"), scopes=["read"])],
        other: Annotated[str, Depends(OAuth2PasswordBearer("https://a.example/2"))],
    ) -> str:
        return key

    class UserConsumer(PlainConsumer):
        authenticator_class = Authenticator
        user: Annotated[str, Depends(user_of)]

    schemes = document_of(UserConsumer)["components"]["securitySchemes"]

    assert set(schemes) == {"query_key", "OAuth2PasswordBearer", "OAuth2PasswordBearer_2"}
    assert schemes["OAuth2PasswordBearer"]["scopes"] == ["read"]
    assert "scopes" not in schemes["OAuth2PasswordBearer_2"]


def test_a_scheme_of_a_handler_is_asked_for_its_message_alone() -> None:
    class GuardedConsumer(AsyncJsonWebsocketConsumer):
        @ws_handler
        async def handle_tell(
            self, message: TellMessage, key: Annotated[str, Depends(APIKeyHeader(name="X-Key"))]
        ) -> None: ...

        @ws_handler
        async def handle_ping(self, message: PingMessage) -> None: ...

    document = document_of(GuardedConsumer)
    operations = document["operations"]

    assert "security" not in operations["handle_ping"]
    assert operations["handle_tell"]["security"] == [
        {"$ref": "#/components/securitySchemes/header_x_key"}
    ]
    plain = document_of(type("GuardedConsumer", (PlainConsumer,), {}))
    (added,) = [c for c in compare_documents(plain, document) if c.rule == "security-added"]
    assert added.breaking


def test_what_handlers_of_topics_need() -> None:
    class TellTopic(Topic[TellMessage]):
        pattern = "tell:{pk}"

        @ws_handler
        async def handle_tell(
            self,
            message: TellMessage,
            pk: Annotated[str, Depends(pk_of)],
            key: Annotated[str, Depends(APIKeyHeader(name="X-Key"))],
            since: Annotated[int, Query()] = 0,
        ) -> None: ...

        @ws_handler
        async def handle_ping(self, message: PingMessage) -> None: ...

    class TellConsumer(PlainConsumer):
        topics = (TellTopic,)

    document = document_of(TellConsumer)
    operations = document["operations"]

    assert "security" not in operations["handle_tell"]
    assert operations["tell_tell_topic_handle_tell"]["security"] == [
        {"$ref": "#/components/securitySchemes/header_x_key"}
    ]
    assert "security" not in operations["tell_tell_topic_handle_ping"]
    for described in document["channels"].values():
        binding = described["bindings"]["ws"]
        assert binding["query"]["properties"].keys() == {"since"}  # not the parameter of the topic
        assert "required" not in binding["headers"]


def test_a_new_required_parameter_breaks_clients() -> None:
    class NowConsumer(PlainConsumer):
        room: Annotated[str, Depends(room_of)]

    before = document_of(type("NowConsumer", (PlainConsumer,), {}))
    changes = {
        change.place.rpartition("/")[2]: (change.rule, change.breaking)
        for change in compare_documents(before, document_of(NowConsumer))
    }

    assert changes == {
        "since": ("required-property-added", True),
        "order": ("property-added", False),
        "tag": ("property-added", False),
    }
