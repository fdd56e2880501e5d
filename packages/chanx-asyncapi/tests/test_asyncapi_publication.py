"""Documents ready to be served, and the page among them."""

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from math import inf, nan
from threading import Barrier
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, Field

from chanx.asyncapi import ConsumerRoute, DocumentOptions, generate_document, publish
from chanx.asyncapi.docs import PAGE_HEADERS, asset, docs_page, error_page, static_site
from chanx.asyncapi.docs._example import example
from chanx.asyncapi.docs._schema import Schemas
from chanx.asyncapi.document import assembled
from chanx.asyncapi.publication import Format
from chanx.asyncapi.text import to_json_text, to_yaml_text
from chanx.core.decorators import channel, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage

from . import torture

HOSTILE = """</title></script><script>alert(1)</script><!--<script "'><img src=x onerror=y>"""


class Tree(BaseModel):
    """</script><b>bold</b>"""

    label: str = Field(description=HOSTILE)
    parts: list["Tree"] = []
    either: int | None = None
    pair: tuple[int, Literal["<b>"]] = (1, "<b>")
    table: dict[str, float] = {}


class TreeMessage(BaseMessage):
    action: Literal["tree"] = "tree"
    payload: Tree


@channel(name=HOSTILE, description=HOSTILE, tags=[HOSTILE])
class TreeConsumer(ChanxWebsocketConsumerMixin[Any]):
    @ws_handler(summary=HOSTILE, description=HOSTILE)
    async def handle_tree(self, message: TreeMessage) -> TreeMessage:
        return message


ROUTES = (ConsumerRoute("/ws/<b>/{name}", (), TreeConsumer),)
OPTIONS = DocumentOptions(title=HOSTILE, description=HOSTILE, version=HOSTILE)


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[dict[str, str]] = []
        self.data = ""
        self.loaded: list[str] = []
        self.targets: set[str] = set()
        self.links: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = {name: value or "" for name, value in attrs}
        assert not [name for name in values if name.startswith("on") or name == "style"]
        self.loaded += [values[name] for name in ("src", "data") if name in values]
        if tag == "script":
            self.scripts.append(values)
        if tag == "link":
            self.loaded.append(values["href"])
        if tag == "a":
            self.links.add(values["href"].removeprefix("#"))
        if "id" in values:
            self.targets.add(values["id"])

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script":
            self.data += data
        else:
            self.text += data


@pytest.fixture
def page() -> Page:
    return Page(publish(ROUTES, OPTIONS, "html").content.decode())


def test_hostile_text_stays_text(page: Page) -> None:
    assert "img" not in page.tags
    assert "b" not in page.tags
    assert HOSTILE in page.text
    assert "</script><b>bold</b>" in page.text


def test_the_page_loads_its_own_files_and_nothing_else(page: Page) -> None:
    assert all(re.fullmatch(r"\?asset=[a-z.]+&v=[0-9a-f]{8}", address) for address in page.loaded)
    assert "style" not in page.tags
    assert PAGE_HEADERS["Content-Security-Policy"].startswith("default-src 'self'")
    for address in page.loaded:
        found = asset(address.removeprefix("?asset=").partition("&")[0])
        assert found is not None
        assert found.media_type in ("text/css", "text/javascript", "image/svg+xml")
        assert "immutable" in found.headers["Cache-Control"]
        assert b"@import" not in found.content
        assert b"url(" not in found.content
    assert asset("../_page.py") is None


def test_the_document_is_there_for_the_scripts(page: Page) -> None:
    data = [script for script in page.scripts if "src" not in script]

    assert data == [{"type": "application/json", "id": "document"}]
    assert "<" not in page.data
    content = json.loads(page.data)
    assert content["document"] == generate_document(ROUTES, OPTIONS)
    reference = next(iter(content["examples"]))
    assert content["examples"][reference]["action"] == "tree"
    assert reference.endswith("/messages/tree_message_input")


def test_the_page_as_files(page: Page) -> None:
    files = static_site(generate_document(ROUTES, OPTIONS))
    alone = Page(files["index.html"].decode())

    assert set(alone.loaded) <= files.keys()
    assert alone.text == page.text
    assert json.loads(files["asyncapi.json"]) == yaml.safe_load(files["asyncapi.yaml"])
    assert all(files.values())


def test_the_page_of_an_error_says_what_to_do() -> None:
    text = Page(error_page("It <b>failed</b>")).text

    assert "It <b>failed</b>." in text
    assert "See the server log." in text


def test_every_link_of_the_page_leads_somewhere(page: Page) -> None:
    assert page.links
    assert page.links <= page.targets


def test_the_page_shows_addresses_fields_and_an_example(page: Page) -> None:
    assert "/ws/<b>/{name}" in page.text
    assert "array of Tree" in page.text
    assert "integer | null" in page.text
    assert 'array of (integer, "<b>")' in page.text
    assert "object of number" in page.text
    assert '"action": "tree"' in page.text
    assert "required" in page.text


def test_the_page_names_the_credentials_of_a_channel() -> None:
    page = Page(publish(torture.ROUTES, torture.OPTIONS, "html").content.decode())

    assert "Credentials: " in page.text
    assert "security-query_token" in page.links


def test_a_page_without_channels_says_so() -> None:
    assert "This document has no channels" in docs_page(generate_document([]))


@pytest.mark.parametrize("form", ["json", "yaml", "html"])
def test_a_document_is_written_once(form: Format) -> None:
    first = publish(ROUTES, OPTIONS, form)

    assert publish(ROUTES, DocumentOptions(**vars_of(OPTIONS)), form) is first
    assert publish(ROUTES, DocumentOptions(), form).etag != first.etag


WRITERS = {"json": to_json_text, "yaml": to_yaml_text, "html": docs_page}
FORMS: list[Format] = ["json", "yaml", "html"]
SERVERS: list[dict[str, Any]] = [
    {},
    {"server_url": "localhost:8000"},
    {"server_url": "chat.example", "server_protocol": "wss"},
    {"server_url": "https://chat.example/behind/a/proxy/"},
    {"server_url": HOSTILE},
    {"server_url": "Zoë'\"&<>:\\ #-?\u2028\u2029\x85\t{}"},
    {"server_url": "a host of words " * 30},
    {"server_url": "h/" + "path of words " * 30},
    {"server_url": "[::1"},
    {"server_url": "no"},
    {"server_url": "1.5", "server_protocol": "true"},
    {"server_url": "other", "servers": {HOSTILE: {}, "z": {"host": "x", "protocol": "ws"}}},
    {"servers": {}},
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("server", SERVERS)
def test_a_document_is_the_same_as_one_that_is_written_whole(
    server: dict[str, Any], form: Format
) -> None:
    options = DocumentOptions(**{**vars_of(OPTIONS), **server})
    expected = WRITERS[form](generate_document(ROUTES, options)).encode()

    published = publish(ROUTES, options, form)

    assert published.content == expected
    assert published.etag == f'"{sha256(expected).hexdigest()[:32]}"'


@pytest.mark.parametrize("form", FORMS)
def test_many_hosts_write_a_document_once(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients choose the host, so a flood of them must cost little and evict nothing."""
    written: list[Any] = []

    def counted(*args: Any) -> Any:
        written.append(args)
        return assembled(*args)

    monkeypatch.setattr("chanx.asyncapi.publication.assembled", counted)
    options = DocumentOptions(title=f"Of this test, as {form}")
    tags = {
        publish(ROUTES, replace(options, server_url=f"{number}.example"), form).etag
        for number in range(200)
    }

    assert len(tags) == 200
    assert len(written) == 1


def test_threads_that_ask_at_once_have_a_document_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As those of Django's views do. Afterwards, threads take turns as seldom as before."""
    interval = sys.getswitchinterval()
    written: list[Any] = []
    begin = Barrier(4)

    def counted(*args: Any) -> Any:
        written.append(args)
        return assembled(*args)

    def asked() -> str:
        begin.wait()
        return publish(ROUTES, DocumentOptions(title="Of threads"), "yaml").etag

    monkeypatch.setattr("chanx.asyncapi.publication.assembled", counted)
    with ThreadPoolExecutor(4) as threads:
        tags = {asking.result() for asking in [threads.submit(asked) for _ in range(4)]}

    assert len(tags) == 1
    assert len(written) == 1
    assert sys.getswitchinterval() == interval


@pytest.mark.parametrize("form", FORMS)
def test_servers_of_the_options_make_one_document_for_every_host(form: Format) -> None:
    options = DocumentOptions(servers={"main": {"host": "main.example", "protocol": "wss"}})

    first = publish(ROUTES, replace(options, server_url="a.example"), form)

    assert publish(ROUTES, replace(options, server_url="b.example"), form) is first


def vars_of(options: DocumentOptions) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(options.as_key())
    return fields


def test_an_etag_is_known_to_whoever_names_it() -> None:
    published = publish(ROUTES, OPTIONS)

    assert re.fullmatch(r'"[0-9a-f]{32}"', published.etag)
    assert published.is_known(published.etag)
    assert published.is_known(f'"other", W/{published.etag}')
    assert published.is_known("*")
    assert not published.is_known(None)
    assert not published.is_known('"other"')


class Limited(BaseModel):
    short: Annotated[str, Field(max_length=3)]
    long: Annotated[str, Field(min_length=12)]
    above: Annotated[int, Field(gt=10)]
    below: Annotated[int, Field(lt=-5)]
    step: Annotated[int, Field(multiple_of=7, ge=10)]
    inside: Annotated[float, Field(gt=0.1, lt=0.2)]
    filled: Annotated[list[int], Field(min_length=2)]
    either: int | None
    flag: bool
    anything: Any
    again: "Limited | None"


def test_examples_are_valid() -> None:
    schema = Limited.model_json_schema()
    schemas = Schemas(schema["$defs"])

    found = example({"$ref": "#/$defs/Limited"}, schemas)

    Limited.model_validate(found)
    assert found["either"] == 1
    assert found["again"] is None


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 3}, 3),
        ({"default": None}, None),
        ({"examples": ["e"], "type": "string"}, "e"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": ["string", "null"]}, "string"),
        ({"type": "array", "items": [{"type": "integer"}, {"type": "boolean"}]}, [1, True]),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "number", "maximum": -1}, -2),
        ({"type": "string", "pattern": "^[a-z]+$"}, "string"),
        ({"type": "string", "pattern": r"^\d{4}$"}, "1111"),
        ({"type": "string", "pattern": "^[A-Z]{3}-[0-9]+$", "maxLength": 8}, "ABC-123"),
        ({"type": "string", "pattern": "^.{3,}$", "minLength": 8, "maxLength": 9}, "string.."),
        ({"type": "string", "pattern": r"^\p{L}+$"}, "string"),
        ({"type": "string", "pattern": "^nobody knows$"}, "string"),
        ({"type": "string", "pattern": "^a+$", "maxLength": 0}, ""),
        ({"$ref": "#/components/schemas/Loop"}, {"more": []}),
        (True, None),
    ],
)
def test_examples(schema: Any, value: Any) -> None:
    loop = {
        "type": "object",
        "properties": {
            "more": {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}},
            "left_out": {"type": "string"},
        },
        "required": ["more"],
    }
    assert example(schema, Schemas({"Loop": loop})) == value


def test_an_example_ends_at_some_depth() -> None:
    """However many models hold one another."""
    chain = {
        f"Level{number}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/components/schemas/Level{number + 1}"}},
            "required": ["next"],
        }
        for number in range(100)
    }

    found = example({"$ref": "#/components/schemas/Level0"}, Schemas({**chain, "Level100": {}}))

    depth = 0
    while found:
        depth, found = depth + 1, found["next"]
    assert 5 < depth < 20


class Gauge(BaseModel):
    model_config = {"json_schema_extra": {"examples": [{"highest": nan}, {"highest": 2.5}]}}

    highest: float = Field(default=inf, le=inf, ge=-inf, examples=[nan, 1.5, [inf]])
    per_sensor: dict[str, float] = {"a": nan}
    anything: Any = Field(default=nan, json_schema_extra={"example": -inf, "x-odd": {"y": [nan]}})


class GaugeMessage(BaseMessage):
    action: Literal["gauge"] = "gauge"
    payload: Gauge = Gauge()


class GaugeConsumer(ChanxWebsocketConsumerMixin[Any]):
    @ws_handler
    async def handle_gauge(self, message: GaugeMessage) -> GaugeMessage:
        return message


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def test_no_form_of_a_document_holds_nan() -> None:
    """Data with NaN or infinity is left out: no example, default or limit of it is JSON."""
    routes = [ConsumerRoute("/ws", (), GaugeConsumer)]
    text = publish(routes, DocumentOptions(), "json").content.decode()
    document = json.loads(text, parse_constant=refuse)
    page = Page(publish(routes, DocumentOptions(), "html").content.decode())

    assert yaml.safe_load(publish(routes, DocumentOptions(), "yaml").content) == document
    assert json.loads(page.data, parse_constant=refuse)["document"] == document
    gauge = next(
        schema
        for name, schema in document["components"]["schemas"].items()
        if name.startswith("Gauge") and "highest" in schema["properties"]
    )
    assert gauge["examples"] == [{"highest": 2.5}]
    assert gauge["properties"]["highest"] == {"type": "number", "examples": [1.5]}
    assert gauge["properties"]["anything"] == {}
