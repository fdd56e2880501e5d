"""Who asks."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from rest_framework.request import Request

__all__ = ["person"]


def person(request: HttpRequest | Request) -> User:
    """Return whose request it is, where permissions or `login_required` keep everybody else away."""
    return cast(User, request.user)
