"""Who may see the AsyncAPI views."""

from collections.abc import Iterator
from typing import Any

import pytest
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import AsyncClient, Client, override_settings
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.views import APIView

from chanx.channels.routing import path
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage

pytestmark = pytest.mark.django_db
VIEWS = ["/schema/", "/docs/", "/docs/?asset=style.css"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


class PingConsumer(AsyncJsonWebsocketConsumer):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None: ...


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/", PingConsumer.as_asgi())])})


def has_the_word(request: HttpRequest) -> bool:
    return request.GET.get("word") == "sesame"


async def has_the_word_async(request: HttpRequest) -> bool:
    return await User.objects.filter(username=request.GET.get("word", "")).aexists()


def has_the_word_later(request: HttpRequest) -> Any:
    return has_the_word_async(request)


class HasTheWord:
    async def __call__(self, request: HttpRequest) -> bool:
        return await has_the_word_async(request)


async def wrong_async(request: HttpRequest) -> bool:
    return wrong(request)


def wrong(request: HttpRequest) -> bool:
    """Return what is true, but not True."""
    return "no"  # type: ignore[return-value] # pyright: ignore[reportReturnType] # the point of it


not_callable = 5


@pytest.fixture(autouse=True)
def _project() -> Iterator[None]:
    with override_settings(
        ASGI_APPLICATION=f"{__name__}.application",
        ROOT_URLCONF="chanx.channels.urls",
        MIDDLEWARE=MIDDLEWARE,
    ):
        yield


def client(**attributes: Any) -> Client:
    known = Client()
    known.force_login(User.objects.create_user("ada", **attributes))
    return known


@pytest.mark.parametrize("url", VIEWS)
def test_without_the_setting_everybody(url: str) -> None:
    assert Client().get(url).status_code == 200


@pytest.mark.parametrize("url", VIEWS)
@pytest.mark.parametrize("policy", [has_the_word, f"{__name__}.has_the_word"])
def test_a_callable(policy: Any, url: str) -> None:
    with override_settings(CHANX={"ASYNCAPI_ACCESS": policy}):
        refused = Client().get(url)
        allowed = Client().get(f"{url}{'&' if '?' in url else '?'}word=sesame")

    assert (refused.status_code, refused.content) == (403, b"Forbidden")
    assert allowed.status_code == 200
    assert allowed.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("url", VIEWS)
@pytest.mark.parametrize(
    "policy",
    [has_the_word_async, f"{__name__}.has_the_word_async", has_the_word_later, HasTheWord()],
)
def test_an_async_callable(policy: Any, url: str) -> None:
    User.objects.create_user("sesame")
    with override_settings(CHANX={"ASYNCAPI_ACCESS": policy}):
        refused = Client().get(url)
        allowed = Client().get(f"{url}{'&' if '?' in url else '?'}word=sesame")

    assert (refused.status_code, refused.content) == (403, b"Forbidden")
    assert allowed.status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", VIEWS)
async def test_an_async_callable_on_an_event_loop(url: str) -> None:
    await User.objects.acreate(username="sesame")
    with override_settings(CHANX={"ASYNCAPI_ACCESS": has_the_word_async}):
        assert (await AsyncClient().get(url)).status_code == 403
        allowed = await AsyncClient().get(f"{url}{'&' if '?' in url else '?'}word=sesame")
        assert allowed.status_code == 200


@pytest.mark.parametrize("url", VIEWS)
def test_staff(url: str) -> None:
    with override_settings(CHANX={"ASYNCAPI_ACCESS": "chanx.channels.access.staff_only"}):
        assert Client().get(url).status_code == 403
        assert client().get(url).status_code == 403
        User.objects.all().delete()
        assert client(is_staff=True).get(url).status_code == 200


@pytest.mark.parametrize("url", VIEWS)
@pytest.mark.parametrize("policy", [[IsAdminUser], ["rest_framework.permissions.IsAdminUser"]])
def test_permission_classes(policy: Any, url: str) -> None:
    with override_settings(CHANX={"ASYNCAPI_ACCESS": policy}):
        assert Client().get(url).json() == {
            "detail": "Authentication credentials were not provided."
        }
        assert client().get(url).status_code == 403
        User.objects.all().delete()
        assert client(is_staff=True).get(url).status_code == 200


def test_permission_classes_authenticate_as_the_api_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(APIView, "authentication_classes", [TokenAuthentication])
    token = Token.objects.create(user=User.objects.create_user("ada"))
    with override_settings(CHANX={"ASYNCAPI_ACCESS": (IsAuthenticated,)}):
        assert Client().get("/schema/").status_code == 401
        known = Client().get("/schema/", headers={"authorization": f"Token {token}"})
    assert known.status_code == 200


def test_only_true_lets_in() -> None:
    """And an empty list of permission classes asks nothing."""
    for policy in (wrong, wrong_async):
        with override_settings(CHANX={"ASYNCAPI_ACCESS": policy}):
            assert Client().get("/schema/").status_code == 403
    with override_settings(CHANX={"ASYNCAPI_ACCESS": []}):
        assert Client().get("/schema/").status_code == 200


@pytest.mark.parametrize(
    ("policy", "error", "said"),
    [
        (f"{__name__}.not_callable", ImproperlyConfigured, "names 5, which is neither a callable"),
        (f"{__name__}.nothing", ImportError, "nothing"),
    ],
)
def test_a_policy_that_is_none_shows_nothing(
    policy: str, error: type[Exception], said: str
) -> None:
    with override_settings(CHANX={"ASYNCAPI_ACCESS": policy}), pytest.raises(error, match=said):
        Client().get("/schema/")
