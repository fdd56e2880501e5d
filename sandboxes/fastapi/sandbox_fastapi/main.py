"""The application: consumers, the page and the AsyncAPI documents."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from chanx.fast_channels import asyncapi_docs, asyncapi_spec_json, asyncapi_spec_yaml
from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.type_defs import AsyncAPIConfig
from sandbox_fastapi.apps.room_chat.consumer import RoomChatConsumer
from sandbox_fastapi.apps.system_chat.consumer import SystemMessageConsumer
from sandbox_fastapi.layers import close_layers, setup_layers
from sandbox_fastapi.settings import Settings

__all__ = ["app"]

STATIC = Path(__file__).parent / "static"
# The page loads nothing from elsewhere and has no inline script; its sockets go to this host only.
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

asyncapi_conf = AsyncAPIConfig(
    title="chanx FastAPI sandbox",
    description="A typed chat: every message of these WebSockets is a Pydantic model.",
    version="1.0.0",
)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Close the layers when the server stops; its sockets are closed by then."""
    yield
    await close_layers()


# At import rather than in lifespan(): tests and other scripts drive the application without a server.
setup_layers(Settings.from_environment().redis_url)

app = FastAPI(title="chanx FastAPI sandbox", lifespan=lifespan)
app.mount("/static", StaticFiles(directory=STATIC), name="static")

add_websocket_consumer(app, "/ws/room/{room_name}", RoomChatConsumer)
add_websocket_consumer(app, "/ws/system", SystemMessageConsumer)


@app.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """Return the chat page."""
    return FileResponse(STATIC / "index.html", headers=PAGE_HEADERS)


@app.get("/health")
async def health() -> dict[str, str]:
    """Tell a load balancer that the process answers."""
    return {"status": "ok"}


@app.get("/asyncapi", include_in_schema=False)
async def asyncapi_documentation(request: Request) -> HTMLResponse:
    """Return the AsyncAPI document as a page."""
    return await asyncapi_docs(request=request, app=app, config=asyncapi_conf)


@app.get("/asyncapi.json", include_in_schema=False)
async def asyncapi_json_spec(request: Request) -> JSONResponse:
    """Return the AsyncAPI document as JSON."""
    return await asyncapi_spec_json(request=request, app=app, config=asyncapi_conf)


@app.get("/asyncapi.yaml", include_in_schema=False)
async def asyncapi_yaml_spec(request: Request) -> Response:
    """Return the AsyncAPI document as YAML."""
    return await asyncapi_spec_yaml(request=request, app=app, config=asyncapi_conf)
