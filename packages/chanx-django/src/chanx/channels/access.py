"""Who may see the views of the AsyncAPI document: the setting `ASYNCAPI_ACCESS`."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.module_loading import import_string
from django.views import View

from chanx.channels._awaiting import awaited
from chanx.channels.settings import chanx_settings

__all__ = ["RestrictedView", "staff_only"]


class RestrictedView(View):
    """Answers only whom `ASYNCAPI_ACCESS` lets in; without that setting, everybody."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask first."""
        policy = _imported(chanx_settings.ASYNCAPI_ACCESS)
        if policy is None:
            return super().dispatch(request, *args, **kwargs)
        refusal = _ask_permissions(request, policy) if _is_list(policy) else _ask(request, policy)
        response = refusal or super().dispatch(request, *args, **kwargs)
        # What one may see is not for the caches of all.
        response.headers["Cache-Control"] = "private, no-cache"
        return response


def staff_only(request: HttpRequest) -> bool:
    """Let in staff who are logged in: `"ASYNCAPI_ACCESS": "chanx.channels.access.staff_only"`."""
    user = getattr(request, "user", None)
    return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False))


def _ask(request: HttpRequest, policy: Any) -> HttpResponseBase | None:
    if not callable(policy):
        raise ImproperlyConfigured(
            f"CHANX['ASYNCAPI_ACCESS'] names {policy!r}, which is neither a callable nor a list of permission classes."
        )
    if awaited(policy(request)) is True:
        return None
    return HttpResponse("Forbidden", status=403, content_type="text/plain")


def _ask_permissions(request: HttpRequest, classes: Sequence[Any]) -> HttpResponseBase | None:
    """Ask as a REST view would, which authenticates by the project's classes."""
    from chanx.channels._rest_access import rest_refusal

    return rest_refusal(request, classes)


def _imported(policy: Any) -> Any:
    if isinstance(policy, str):
        return import_string(policy)
    return [_imported(item) for item in policy] if _is_list(policy) else policy


def _is_list(policy: Any) -> bool:
    return isinstance(policy, list | tuple)
