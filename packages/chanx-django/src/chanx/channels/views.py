"""Views of the project's AsyncAPI document."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response

from chanx.channels.access import RestrictedView
from chanx.utils.logging import logger

try:
    from chanx.asyncapi import generate_document, publish
    from chanx.asyncapi.docs import PAGE_HEADERS, asset, error_page
    from chanx.asyncapi.publication import Format
    from chanx.channels.discovery import discover_routes
    from chanx.channels.document import document_options
except ModuleNotFoundError as _error:
    if _error.name not in ("chanx.asyncapi", "yaml"):
        raise
    raise ImportError(
        'AsyncAPI documents need chanx-asyncapi: pip install "chanx-django[asyncapi]"'
    ) from _error

__all__ = [
    "AsyncAPIClientView",
    "AsyncAPIDocsView",
    "AsyncAPISchemaView",
    "generate_asyncapi_schema",
]

_FAILED = "Failed to generate schema"
_MEDIA_TYPES: dict[str, tuple[Format, str]] = {
    "json": ("json", "application/json"),
    "yaml": ("yaml", "application/yaml; charset=utf-8"),
}


def generate_asyncapi_schema(request: HttpRequest) -> dict[str, Any]:
    """Return the document of what ASGI_APPLICATION serves.

    Without a server in the settings it names the host that the request was sent to.
    """
    return generate_document(discover_routes(), document_options(request))


class AsyncAPISchemaView(RestrictedView):
    """Returns the document, in the format that `?format=json` or `?format=yaml` asks for."""

    http_method_names: Sequence[str] = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the document, or 304 to a client that has it."""
        wanted = request.GET.get("format", "json").lower()
        if wanted not in _MEDIA_TYPES:
            message = "Invalid format. Supported formats: json, yaml"
            return JsonResponse({"error": message}, status=400)
        form, media_type = _MEDIA_TYPES[wanted]
        response = published(request, form, media_type)
        return response or JsonResponse({"error": _FAILED}, status=500)


class AsyncAPIDocsView(RestrictedView):
    """Shows the document as a page, and serves the files that the page asks for at its own address.

    Set `template_name` to show it with a template of the project's, which gets it as `document`.
    """

    http_method_names: Sequence[str] = ["get", "head", "options"]
    template_name: str | None = None

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page, or 304 to a client that has it."""
        wanted = request.GET.get("asset")
        if wanted is not None:
            return _asset(wanted)
        if self.template_name is not None:
            return render(
                request, self.template_name, {"document": generate_asyncapi_schema(request)}
            )
        response = published(request, "html", "text/html; charset=utf-8")
        if response is None:
            response = HttpResponse(error_page(_FAILED), status=500)
        for name, value in PAGE_HEADERS.items():
            response.headers[name] = value
        return response


class AsyncAPIClientView(RestrictedView):
    """Returns a JavaScript module with a client for each channel, which pages import."""

    http_method_names: Sequence[str] = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the module, or 304 to a client that has it."""
        response = published(request, "js", "text/javascript; charset=utf-8")
        if response is None:
            response = HttpResponse(_FAILED, status=500, content_type="text/plain")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def published(request: HttpRequest, form: Format, media_type: str) -> HttpResponseBase | None:
    """Write the document, or log why that failed: visitors are not told."""
    options = document_options(request)  # a refused host is Django's to answer
    try:
        document = publish(discover_routes(), options, form)
    except Exception:
        logger.exception("AsyncAPI document could not be written")
        return None
    headers = {"ETag": document.etag, "Cache-Control": "no-cache"}
    response = HttpResponse(document.content, content_type=media_type, headers=headers)
    return get_conditional_response(request, etag=document.etag, response=response)


def _asset(name: str) -> HttpResponse:
    found = asset(name)
    if found is None:
        return HttpResponse("Not found", status=404, content_type="text/plain")
    content_type = f"{found.media_type}; charset=utf-8"
    return HttpResponse(found.content, content_type=content_type, headers=dict(found.headers))
