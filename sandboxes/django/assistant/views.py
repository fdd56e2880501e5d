"""The page of the assistant."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.people import person
from assistant.models import Exchange

__all__ = ["assistant_page"]

SHOWN = 20


@require_safe
@login_required
def assistant_page(request: HttpRequest) -> HttpResponse:
    """Show the latest questions and answers."""
    latest = Exchange.objects.filter(user=person(request)).order_by("-pk")[:SHOWN]
    shown = {"exchanges": list(latest)[::-1], "nav": "assistant"}
    return render(request, "assistant/assistant.html", shown)
