"""Views of the AsyncAPI document."""

import subprocess
import sys
from typing import Any

import pytest
import yaml
from channels.routing import ProtocolTypeRouter, URLRouter
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from chanx.asyncapi.docs import docs_page
from chanx.asyncapi.document import assembled
from chanx.channels.routing import path
from chanx.channels.views import AsyncAPIDocsView, generate_asyncapi_schema
from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class PingConsumer(AsyncJsonWebsocketConsumer):
    """Answers pings."""

    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


application = ProtocolTypeRouter(
    {"websocket": URLRouter([path("ws/<int:pk>/", PingConsumer.as_asgi())])}
)
TITLED = {"ASYNCAPI_TITLE": "Chat", "ASYNCAPI_VERSION": "2.0.0", "ASYNCAPI_DESCRIPTION": "Talk"}


@pytest.fixture(autouse=True)
def _project() -> Any:
    with override_settings(
        ASGI_APPLICATION=f"{__name__}.application", ROOT_URLCONF="chanx.channels.urls"
    ):
        yield


def document(**headers: Any) -> Any:
    return Client().get("/schema/", headers=headers).json()


def test_addresses_have_names() -> None:
    assert reverse("asyncapi_schema") == "/schema/"
    assert reverse("asyncapi_docs") == "/docs/"
    assert reverse("asyncapi_client") == "/client.js"


def test_json() -> None:
    with override_settings(CHANX=TITLED):
        response = Client().get("/schema/")

    found = response.json()
    assert response.headers["Content-Type"] == "application/json"
    assert response.content.startswith(b'{\n  "asyncapi": "3.0.0"')
    assert found["info"] == {"title": "Chat", "version": "2.0.0", "description": "Talk"}
    assert found["servers"] == {"production": {"host": "testserver", "protocol": "ws"}}
    assert found["channels"]["ping"]["address"] == "/ws/{pk}/"
    assert found["channels"]["ping"]["description"] == "Answers pings."
    assert list(found["operations"]) == ["handle_ping", "ping_notices"]


@pytest.mark.parametrize("form", ["yaml", "YAML"])
def test_yaml_says_the_same(form: str) -> None:
    response = Client().get(f"/schema/?format={form}")

    assert response.headers["Content-Type"] == "application/yaml; charset=utf-8"
    assert yaml.safe_load(response.content) == document()


@pytest.mark.parametrize(("alias", "expected"), [("default", True), (None, False)])
def test_group_messages_need_a_channel_layer(
    alias: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key that says who sent a group message appears where there can be one."""
    monkeypatch.setattr(PingConsumer, "channel_layer_alias", alias, raising=False)
    properties = document()["components"]["schemas"]["PongMessage"]["properties"]
    assert ("is_current" in properties) is expected


def test_another_format_is_refused() -> None:
    response = Client().get("/schema/?format=xml")

    assert response.status_code == 400
    assert response.json() == {"error": "Invalid format. Supported formats: json, yaml"}


def test_the_title_has_a_default() -> None:
    assert document()["info"] == {"title": "AsyncAPI Documentation", "version": "1.0.0"}


@pytest.mark.parametrize("url", ["/schema/", "/schema/?format=yaml", "/docs/", "/client.js"])
def test_a_client_that_has_it_is_told_so(url: str) -> None:
    first = Client().get(url)
    second = Client().get(url, headers={"if-none-match": first.headers["ETag"]})
    third = Client().get(url, headers={"if-none-match": '"another"'})

    assert (second.status_code, second.content) == (304, b"")
    assert third.content == first.content


@pytest.mark.parametrize("url", ["/schema/", "/schema/?format=yaml", "/docs/", "/client.js"])
def test_many_hosts_write_the_document_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client chooses the host and the port that it calls."""
    written: list[Any] = []

    def counted(*args: Any) -> Any:
        written.append(args)
        return assembled(*args)

    monkeypatch.setattr("chanx.asyncapi.publication.assembled", counted)
    with override_settings(ALLOWED_HOSTS=["*"], CHANX={"ASYNCAPI_TITLE": f"Of {url}"}):
        hosts = [f"{number}.example:{8000 + number}" for number in range(200)]
        answers = [Client().get(url, headers={"host": host}) for host in hosts]

    assert len({answer.headers["ETag"] for answer in answers}) == 200
    assert all(host in answer.content.decode() for host, answer in zip(hosts, answers, strict=True))
    assert len(written) == 1


@pytest.mark.parametrize(
    ("settings", "server"),
    [
        ({"WEBSOCKET_BASE_URL": "wss://a.example"}, {"host": "a.example", "protocol": "wss"}),
        (
            {"ASYNCAPI_SERVER_URL": "b.example", "WEBSOCKET_BASE_URL": "wss://a.example"},
            {"host": "b.example", "protocol": "ws"},
        ),
        (
            {"ASYNCAPI_SERVER_URL": "b.example", "ASYNCAPI_SERVER_PROTOCOL": "wss"},
            {"host": "b.example", "protocol": "wss"},
        ),
        ({"ASYNCAPI_SERVER_PROTOCOL": "wss"}, {"host": "testserver", "protocol": "wss"}),
    ],
)
def test_servers_of_the_settings(settings: dict[str, str], server: dict[str, str]) -> None:
    with override_settings(CHANX=settings):
        assert document()["servers"] == {"production": server}


def test_the_server_is_the_one_that_was_called() -> None:
    request = RequestFactory().get("/schema/", secure=True, SCRIPT_NAME="/proxied")

    assert generate_asyncapi_schema(request)["servers"] == {
        "production": {"host": "testserver", "protocol": "wss", "pathname": "/proxied"}
    }


def test_a_host_that_django_refuses_is_its_to_answer() -> None:
    assert (
        Client(raise_request_exception=False).get("/schema/", headers={"host": "evil"}).status_code
        == 400
    )


def test_settings_of_consumers_show() -> None:
    with override_settings(CHANX={"SEND_COMPLETION": True, "MESSAGE_ACTION_KEY": "type"}):
        found = document()
    assert "group_complete_message" in found["components"]["messages"]
    assert "type" in found["components"]["schemas"]["PingMessage"]["properties"]

    found = document()
    assert "group_complete_message" not in found["components"]["messages"]
    assert "action" in found["components"]["schemas"]["PingMessage"]["properties"]


def test_the_page_and_its_stylesheet() -> None:
    with override_settings(CHANX=TITLED):
        page = Client().get("/docs/")
        document = Client().get("/schema/").json()
    style = Client().get("/docs/?asset=style.css")

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert b"<title>Chat</title>" in page.content
    assert page.content.decode() == docs_page(document)
    assert "immutable" in style.headers["Cache-Control"]
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert Client().get("/docs/?asset=../views.py").status_code == 404


def test_a_template_of_the_projects() -> None:
    template = ("django.template.loaders.locmem.Loader", {"own.html": "{{ document.info.title }}!"})
    engine = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [template]},
    }
    with override_settings(TEMPLATES=[engine]):
        response: Any = AsyncAPIDocsView.as_view(template_name="own.html")(
            RequestFactory().get("/")
        )

    assert response.content == b"AsyncAPI Documentation!"


@pytest.mark.parametrize("url", ["/schema/", "/schema/?format=yaml", "/docs/", "/client.js"])
def test_a_failure_is_logged_and_not_told(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("chanx.channels.views.publish", fail)
    response = Client().get(url)

    assert response.status_code == 500
    assert b"secret" not in response.content
    assert b"Failed to generate schema" in response.content
    assert caplog.text.count("AsyncAPI document could not be written") == 1
    assert "a secret" in caplog.text


WITHOUT_EXTRA = """
import sys
sys.modules["chanx.asyncapi"] = None
import chanx.channels.websocket, chanx.channels.routing, chanx.channels.utils.asgi
try:
    import chanx.channels.views
except ImportError as error:
    assert 'pip install "chanx-django[asyncapi]"' in str(error), error
else:
    raise AssertionError("imported")
"""


def test_consumers_alone_need_no_extra() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_EXTRA], check=True)
