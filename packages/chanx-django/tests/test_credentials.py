"""What documents say that clients show, from the classes of Django REST framework."""

from typing import Any

import pytest
from django.test import override_settings
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
    TokenAuthentication,
)
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated

from chanx.asyncapi import ConsumerRoute, generate_document
from chanx.channels.authenticator import DjangoAuthenticator
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.authenticator import Credential
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage

COOKIE = Credential("sessionid", "cookie", "The session of this site")


class Bearer(TokenAuthentication):
    keyword = "Bearer"


class Addresses(BaseAuthentication):
    def authenticate_header(self, request: Any) -> str:
        return str(request.META["REMOTE_ADDR"])


class ReportView(GenericAPIView[Any]):
    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAdminUser,)


def header(*schemes: str) -> Credential:
    named = " or ".join(f"`{scheme}`" for scheme in schemes)
    return Credential("Authorization", "header", f"{named}, followed by the credentials")


@pytest.mark.parametrize(
    ("attributes", "credentials"),
    [
        ({}, ()),
        ({"permission_classes": [AllowAny]}, ()),
        ({"authentication_classes": [SessionAuthentication], "permission_classes": []}, ()),
        ({"permission_classes": [IsAuthenticated]}, (COOKIE, header("Basic"))),
        (
            {
                "authentication_classes": [Bearer, BasicAuthentication],
                "permission_classes": [IsAuthenticated & IsAdminUser],
            },
            (header("Bearer", "Basic"),),
        ),
        ({"auth_view_class": ReportView}, (header("Token"),)),
        ({"auth_view_class": ReportView, "permission_classes": [AllowAny]}, ()),
        ({"auth_view_class": ReportView, "authentication_classes": [Addresses]}, ()),
        ({"credentials": [Credential("ticket", "query")]}, [Credential("ticket", "query")]),
    ],
    ids=range(9),
)
def test_credentials_of_an_authenticator(attributes: dict[str, Any], credentials: Any) -> None:
    authenticator: Any = type("Authenticator", (DjangoAuthenticator,), attributes)

    assert authenticator.credentials == credentials


class Sessions(DjangoAuthenticator):
    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)


class PingConsumer(AsyncJsonWebsocketConsumer):
    authenticator_class = Sessions

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None: ...


@override_settings(SESSION_COOKIE_NAME="shop_session")
def test_a_document_names_the_cookie_of_the_project() -> None:
    document = generate_document([ConsumerRoute("/ws/", (), PingConsumer)])

    assert document["components"]["securitySchemes"] == {
        "cookie_shop_session": {
            "type": "httpApiKey",
            "name": "shop_session",
            "in": "cookie",
            "description": "The session of this site",
        }
    }
    assert document["operations"]["handle_ping"]["security"] == [
        {"$ref": "#/components/securitySchemes/cookie_shop_session"}
    ]
