"""HTTP addresses of the Django application."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from sandbox_servers.report import report

__all__ = ["urlpatterns"]


async def state(request: HttpRequest) -> JsonResponse:
    """Tell what the process is doing."""
    return JsonResponse(report(request.GET.get("case", ""), release="release" in request.GET))


urlpatterns = [path("state", state)]
