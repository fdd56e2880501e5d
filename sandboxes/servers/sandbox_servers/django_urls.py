"""HTTP addresses of the Django application."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from sandbox_servers.report import report

__all__ = ["urlpatterns"]


async def state(request: HttpRequest) -> JsonResponse:
    """Tell what the process is doing."""
    query = request.GET
    content = report(query.get("case", ""), release="release" in query, mark=query.get("mark", ""))
    return JsonResponse(content)


urlpatterns = [path("state", state)]
