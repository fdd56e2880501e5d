"""The FastAPI side, which serves the Django side too: names as they are, no completions, no log."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI
from fastapi.requests import Request
from fastapi.responses import Response
from pydantic import BaseModel
from rest_framework.authtoken.models import Token

from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import event_handler, ws_handler
from chanx.fast_channels.layers import close_layers, pubsub_layer, queue_layer, register_layers
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.shutdown import draining
from chanx.fast_channels.views import asyncapi_docs, asyncapi_spec_json
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.type_defs import Scope
from chanx.utils.scope import header
from sandbox_mixed.desks import Desk, DeskTopic
from sandbox_mixed.django_side import application as django_application
from sandbox_mixed.documents import both_sides
from sandbox_mixed.environment import LAYER, PREFIX, REDIS_URL
from sandbox_mixed.messages import (
    NEWSROOM,
    Headline,
    HeadlinePayload,
    News,
    NewsPayload,
    Report,
)

__all__ = ["FastAPINewsConsumer", "app"]

make_layer = pubsub_layer if LAYER == "pubsub" else queue_layer
register_layers({"default": make_layer(REDIS_URL, prefix=PREFIX)})


class TokenAuthenticator(BaseAuthenticator):
    """Knows the tokens of the Django side: its database is in the same process."""

    async def authenticate(self, scope: Scope) -> bool:
        """Look the token up."""
        kind, _, key = (header(scope, "authorization") or "").partition(" ")
        token = await Token.objects.select_related("user").filter(key=key).afirst()
        if kind != "Token" or token is None:
            self.status_code = 401
            return False
        scope["user"] = cast(Any, token).user
        return True


class FastAPINewsConsumer(AsyncJsonWebsocketConsumer[Headline]):
    """The newsroom, for clients of FastAPI."""

    authenticator_class = TokenAuthenticator
    groups = [NEWSROOM]  # noqa: RUF012 - as the base class has it
    topics = [DeskTopic]  # noqa: RUF012 - as the base class has it

    @ws_handler(output_type=News)
    async def handle_report(self, message: Report) -> None:
        """Tell everybody in the newsroom, on both sides."""
        reporter = self.scope["user"].get_username()
        payload = NewsPayload(
            news_text=message.payload.news_text, reporter_name=reporter, sent_from="fastapi"
        )
        await self.broadcast_message(News(payload=payload))

    @event_handler
    async def on_headline(self, event: Headline) -> Headline:
        """Pass on what came in over HTTP, on either side."""
        return event


class Incoming(BaseModel):
    """A headline, for everybody or for one desk."""

    text: str
    desk: Desk | None = None


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Let the handlers of both sides finish, then close the layer's connections."""
    with draining():
        yield
    await close_layers()


app = FastAPI(title="The FastAPI side", lifespan=lifespan)
add_websocket_consumer(app, "/ws/news", FastAPINewsConsumer)


@app.post("/headlines", status_code=202)
async def headlines(incoming: Incoming) -> None:
    """Tell both sides: the subscribers of a desk, or everybody in the newsroom."""
    payload = HeadlinePayload(headline_text=incoming.text, sent_from="fastapi")
    headline = Headline(payload=payload)
    if incoming.desk is None:
        await FastAPINewsConsumer.broadcast_event(headline, NEWSROOM)
    else:
        await DeskTopic.broadcast(f"desk:{incoming.desk}", headline)


@app.get("/asyncapi.json", include_in_schema=False)
async def own_document(request: Request) -> Response:
    """Return the document of this side."""
    return await asyncapi_spec_json(request, app)


@app.get("/asyncapi", include_in_schema=False)
async def own_page(request: Request) -> Response:
    """Show the document of this side."""
    return await asyncapi_docs(request, app)


@app.get("/both/asyncapi.json", include_in_schema=False)
async def document_of_both(request: Request) -> Response:
    """Return one document of both sides."""
    document = both_sides(app, request.url.netloc)
    return Response(document.content, media_type="application/json")


# Any: mounts take every ASGI application.
django_side: Any = django_application
app.mount("/django", django_side)
