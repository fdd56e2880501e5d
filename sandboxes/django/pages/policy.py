"""What the pages may load, told to browsers."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse

__all__ = ["ContentSecurityPolicy"]

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
# The page of the REST API's documents starts itself by an inline script.
INLINE = "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


class ContentSecurityPolicy:
    """Sets the policy of answers that have none: nothing from elsewhere, no inline script."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the policy."""
        response = await self.get_response(request)
        policy = f"{POLICY}; {INLINE}" if request.path == "/api/docs/" else POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
