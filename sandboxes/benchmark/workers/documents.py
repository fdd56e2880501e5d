"""Prints how long it takes to make a document, and the longest block of the event loop meanwhile, as JSON.

Arguments: the framework, `fast-channels` or `channels`, and the form, `json`, `yaml` or `html`.
"""

import asyncio
import gc
import json
import sys
import time
from typing import Any, Literal

from pydantic import BaseModel, create_model

from chanx.core.decorators import ws_handler
from chanx.messages.base import BaseMessage

__all__ = ["application"]

CHANNELS = 15
MESSAGES = 12
PAUSE = 0.001

# What Django serves WebSockets with; found by its name.
application: Any = None


class Address(BaseModel):
    """Inside each payload."""

    street: str
    city: str


class Payload(BaseModel):
    """What each message carries, under a name of its own."""

    customer: str
    address: Address
    lines: list[int]
    note: str | None = None
    is_urgent: bool = False


def main() -> None:
    """Ask for one document."""
    framework, form = sys.argv[1:]
    server, page, path = {"fast-channels": starlette, "channels": django}[framework](form)
    sys.stdout.write(json.dumps(asyncio.run(measured(server, page, path))))


def consumers(base: Any) -> list[Any]:
    """Make the consumer classes."""
    return [
        type(
            f"Channel{channel}Consumer", (base,), dict(handler(channel, n) for n in range(MESSAGES))
        )
        for channel in range(CHANNELS)
    ]


def handler(channel: int, number: int) -> tuple[str, Any]:
    """Make a handler of a message type of its own."""
    action = f"act_{channel}_{number}"
    literal: Any = Literal[action]  # pyright: ignore[reportInvalidTypeForm]
    payload = create_model(f"Payload{channel}x{number}", __base__=Payload)
    fields: Any = {"action": (literal, action), "payload": (payload, ...)}
    message = create_model(f"Message{channel}x{number}", __base__=BaseMessage, **fields)

    async def handle(self: Any, message: Any) -> Any:
        return message

    handle.__name__ = f"handle_{action}"
    return handle.__name__, ws_handler(input_type=message, output_type=message)(handle)


def starlette(form: str) -> tuple[Any, str, str]:
    """Return an application of Starlette, the path of the page and that of the document."""
    from starlette.applications import Starlette

    from chanx.fast_channels import asyncapi_docs, asyncapi_spec_json, asyncapi_spec_yaml
    from chanx.fast_channels.routing import add_websocket_consumer
    from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

    views: Any = {"json": asyncapi_spec_json, "yaml": asyncapi_spec_yaml, "html": asyncapi_docs}
    app = Starlette()
    app.add_route("/docs", asyncapi_docs)
    app.add_route("/document", views[form])
    for number, consumer in enumerate(consumers(AsyncJsonWebsocketConsumer)):
        add_websocket_consumer(app, f"/ws/{number}", consumer)
    return app, "/docs", "/document"


def django(form: str) -> tuple[Any, str, str]:
    """Return an application of Django, the path of the page and that of the document."""
    global application
    import django_settings

    django_settings.use({})
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.conf import settings
    from django.core.asgi import get_asgi_application

    from chanx.channels.routing import path
    from chanx.channels.websocket import AsyncJsonWebsocketConsumer

    settings.ROOT_URLCONF = "chanx.channels.urls"
    settings.ASGI_APPLICATION = f"{__name__}.application"
    made = consumers(AsyncJsonWebsocketConsumer)
    # Any: the list of a URLRouter may hold routers too, and lists are invariant.
    routes: list[Any] = [
        path(f"ws/{number}", consumer.as_asgi()) for number, consumer in enumerate(made)
    ]
    application = ProtocolTypeRouter({"websocket": URLRouter(routes)})
    document = "/docs/" if form == "html" else f"/schema/?format={form}"
    return get_asgi_application(), "/docs/", document


async def measured(server: Any, page: str, path: str) -> dict[str, float]:
    """Ask for the document while a task takes its turn once a millisecond."""
    await get(server, f"{page}?asset=style.css")  # Django imports a lot with the first request
    gc.collect()  # or Python would soon do it, in a process as young as this one
    late: list[float] = []
    ticking = asyncio.create_task(tick(late))
    await asyncio.sleep(0.1)
    late.clear()
    began = time.perf_counter()
    document = await get(server, path)
    took = time.perf_counter() - began
    await asyncio.sleep(2 * PAUSE)  # a block at the very end is noticed by the tick after it
    ticking.cancel()
    if b"act_14_11" not in document:
        raise RuntimeError(f"{path}: not the whole document")
    return {"took": took, "blocked": max(late)}


async def tick(late: list[float]) -> None:
    """Note how much later than asked for each turn comes."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(PAUSE)
        late.append(time.perf_counter() - began - PAUSE)


async def get(server: Any, path: str) -> bytes:
    """Send one request and return the body. Raises RuntimeError for an error."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1")],
        "server": ("127.0.0.1", 80),
    }
    events: list[Any] = []
    requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        for request in requests:
            return request
        await asyncio.Event().wait()

    async def send(event: Any) -> None:
        events.append(event)

    await server(scope, receive, send)
    body = b"".join(event.get("body", b"") for event in events)
    if events[0]["status"] != 200:
        raise RuntimeError(f"{path}: {events[0]['status']}, {body[:200]!r}")
    return body


if __name__ == "__main__":
    main()
