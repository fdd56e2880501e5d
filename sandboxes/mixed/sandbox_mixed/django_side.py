"""The Django side: REST views, and a consumer that authenticates by the classes of Django REST framework."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox_mixed.django_settings")
http_application = get_asgi_application()

from django.urls import include  # noqa: E402 - Django is set up only now
from django.urls import path as url  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from chanx.channels.authenticator import DjangoAuthenticator  # noqa: E402
from chanx.channels.routing import path  # noqa: E402
from chanx.channels.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from chanx.core.decorators import event_handler, ws_handler  # noqa: E402
from sandbox_mixed.desks import DeskTopic  # noqa: E402
from sandbox_mixed.messages import (  # noqa: E402
    NEWSROOM,
    Headline,
    HeadlinePayload,
    News,
    NewsPayload,
    Report,
)

__all__ = ["DjangoNewsConsumer", "application", "urlpatterns"]


class DjangoNewsConsumer(AsyncJsonWebsocketConsumer[Headline]):
    """The newsroom, for clients of Django."""

    authenticator_class = DjangoAuthenticator
    groups = [NEWSROOM]  # noqa: RUF012 - as the base class has it
    topics = [DeskTopic]  # noqa: RUF012 - as the base class has it

    @ws_handler(output_type=News)
    async def handle_report(self, message: Report) -> None:
        """Tell everybody in the newsroom, on both sides."""
        reporter = self.scope["user"].get_username()
        payload = NewsPayload(
            news_text=message.payload.news_text, reporter_name=reporter, sent_from="django"
        )
        await self.broadcast_message(News(payload=payload))

    @event_handler
    async def on_headline(self, event: Headline) -> Headline:
        """Pass on what came in over HTTP, on either side."""
        return event


class HeadlineSerializer(serializers.Serializer[Any]):
    """A headline, for everybody or for one desk."""

    text = serializers.CharField(max_length=500)
    desk = serializers.ChoiceField(["sports", "weather"], required=False)


class HeadlinesView(APIView):
    """Headlines that come in over Django's HTTP."""

    # Any: the framework's own annotation.
    def post(self, request: Request, *args: Any) -> Response:
        """Tell both sides: the subscribers of a desk, or everybody in the newsroom."""
        serializer = HeadlineSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        text = serializer.validated_data["text"]
        payload = HeadlinePayload(headline_text=text, sent_from="django")
        desk = serializer.validated_data.get("desk")
        if desk is None:
            DjangoNewsConsumer.broadcast_event_sync(Headline(payload=payload), NEWSROOM)
        else:
            DeskTopic.broadcast_sync(f"desk:{desk}", Headline(payload=payload))
        return Response(status=202)


urlpatterns = [
    url("headlines/", HeadlinesView.as_view(), name="headlines"),
    url("asyncapi/", include("chanx.channels.urls")),
]
application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": URLRouter([path("ws/news/", DjangoNewsConsumer.as_asgi())]),
    }
)
