"""Permission classes of Django REST framework in front of a plain view; needs the extra `drf`."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponseBase

try:
    from rest_framework.renderers import JSONRenderer
    from rest_framework.response import Response

    from chanx.channels._rest_awaiting import AwaitingView
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "rest_framework":
        raise
    raise ImportError(
        "Permission classes in CHANX['ASYNCAPI_ACCESS'] need Django REST framework: "
        'pip install "chanx-django[drf]"'
    ) from error

__all__ = ["rest_refusal"]


class _Gate(AwaitingView):
    """Answers what it lets through with 204."""

    renderer_classes = (JSONRenderer,)

    def get(self, request: Any) -> Response:
        return Response(status=204)


# Any: classes, or expressions of them.
def rest_refusal(request: HttpRequest, classes: Sequence[Any]) -> HttpResponseBase | None:
    """Return the answer of a REST view that turns the request away, or None."""
    response: Any = _Gate.as_view(permission_classes=classes)(request)
    return None if response.status_code == 204 else response.render()
