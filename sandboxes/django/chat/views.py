"""The chat page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

__all__ = ["page"]

# The page loads nothing from elsewhere and has no inline script; its sockets go to this host only.
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Return the chat page."""
    response = render(request, "chat/index.html")
    for name, value in PAGE_HEADERS.items():
        response[name] = value
    return response
