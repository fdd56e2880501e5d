"""Views of an application's AsyncAPI document, for FastAPI and Starlette."""

from collections.abc import Mapping
from typing import TypeVar, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from chanx.fast_channels.type_defs import AsyncAPIConfig
from chanx.utils.logging import logger

try:
    from chanx.asyncapi import DocumentOptions, Publication, publish
    from chanx.asyncapi.docs import PAGE_HEADERS, asset, error_page
    from chanx.asyncapi.making import in_worker
    from chanx.asyncapi.options import used_options
    from chanx.asyncapi.publication import Format
    from chanx.fast_channels.discovery import application_options, discover_routes
except ModuleNotFoundError as _error:
    if _error.name not in ("chanx.asyncapi", "yaml"):
        raise
    raise ImportError(
        'AsyncAPI documents need chanx-asyncapi: pip install "chanx-fastchannels[asyncapi]"'
    ) from _error

__all__ = ["asyncapi_client_js", "asyncapi_docs", "asyncapi_spec_json", "asyncapi_spec_yaml"]

_Kind = TypeVar("_Kind", bound=Response)

_FAILED = "Failed to generate schema"
_SCRIPT_HEADERS = {"X-Content-Type-Options": "nosniff"}


class _JsonResponse(JSONResponse):
    """JSON that is text already."""

    def render(self, content: bytes) -> bytes:
        """Send it as it is."""
        return content


class _YamlResponse(Response):
    media_type = "application/x-yaml"


class _ScriptResponse(Response):
    media_type = "text/javascript"


async def asyncapi_docs(
    request: Request | None = None,
    app: Starlette | None = None,
    config: AsyncAPIConfig | None = None,
) -> HTMLResponse:
    """Show the document as a page, and serve the files that the page asks for at its own address.

    Without `request` there are no such files, and the page is plain.
    """
    wanted = None if request is None else request.query_params.get("asset")
    if wanted is not None:
        return _asset(wanted)
    published = await in_worker(_published, "html", request, app, config)
    if published is None:
        return HTMLResponse(error_page(_FAILED), 500, PAGE_HEADERS)
    return _answer(HTMLResponse, published, request, PAGE_HEADERS)


async def asyncapi_spec_json(
    request: Request | None = None,
    app: Starlette | None = None,
    config: AsyncAPIConfig | None = None,
) -> JSONResponse:
    """Return the document as JSON.

    Without `app` it is the request's; without `request` the server comes from `config`.
    """
    published = await in_worker(_published, "json", request, app, config)
    if published is None:
        return JSONResponse({"error": _FAILED}, 500)
    return _answer(_JsonResponse, published, request)


async def asyncapi_spec_yaml(
    request: Request | None = None,
    app: Starlette | None = None,
    config: AsyncAPIConfig | None = None,
) -> Response:
    """Return the document as YAML; see `asyncapi_spec_json()`."""
    published = await in_worker(_published, "yaml", request, app, config)
    if published is None:
        return JSONResponse({"error": _FAILED}, 500)
    return _answer(_YamlResponse, published, request)


async def asyncapi_client_js(
    request: Request | None = None,
    app: Starlette | None = None,
    config: AsyncAPIConfig | None = None,
) -> Response:
    """Return a JavaScript module with a client for each channel; see `asyncapi_spec_json()`.

    A page imports it: `import { chat } from "/asyncapi/client.js"`.
    """
    published = await in_worker(_published, "js", request, app, config)
    if published is None:
        # A module that fails as a whole, so the page's console names the address.
        return Response(_FAILED, 500, _SCRIPT_HEADERS, "text/plain")
    return _answer(_ScriptResponse, published, request, _SCRIPT_HEADERS)


def _published(
    form: Format, request: Request | None, app: Starlette | None, config: AsyncAPIConfig | None
) -> Publication | None:
    """Write the document, or log why that failed: visitors are not told."""
    try:
        if app is None:
            app = _app_of(request)
        return publish(discover_routes(app), _options(request, app, config), form)
    except Exception:
        logger.exception("AsyncAPI document could not be written")
        return None


def _app_of(request: Request | None) -> Starlette:
    if request is None:
        raise TypeError("AsyncAPI views need a request or an app: pass at least one of them.")
    return cast(Starlette, request.app)


def _options(
    request: Request | None, app: Starlette, config: AsyncAPIConfig | None
) -> DocumentOptions:
    """Take what the configuration says, then what a FastAPI application and the request do."""
    given = application_options(app)
    if request is not None:
        given["server_url"] = f"{request.url.netloc}{_root_path(request, app)}"
        given["server_protocol"] = "wss" if request.url.scheme == "https" else "ws"
    own = used_options(config or {})
    if "server_url" in own:  # its scheme is not the request's
        given.pop("server_protocol", None)
    return DocumentOptions(**{**given, **own})


def _root_path(request: Request, app: Starlette) -> str:
    """Return what stands in front of the application's own paths: a proxy's prefix, the mounts around it."""
    scope = request.scope
    is_outermost = scope.get("router") is getattr(app, "router", None)
    own: str = scope.get("root_path", "")
    return cast(str, scope.get("app_root_path", own)) if is_outermost else own


def _answer(
    kind: type[_Kind],
    published: Publication,
    request: Request | None,
    headers: Mapping[str, str] | None = None,
) -> _Kind:
    known = request is not None and published.is_known(request.headers.get("if-none-match"))
    sent = {"ETag": published.etag, "Cache-Control": "no-cache", **(headers or {})}
    return kind(b"" if known else published.content, 304 if known else 200, sent)


def _asset(name: str) -> HTMLResponse:
    found = asset(name)
    if found is None:
        return HTMLResponse("Not found", 404)
    return HTMLResponse(found.content, 200, found.headers, found.media_type)
