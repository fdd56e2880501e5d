"""The command line, with an integration that is declared as the real ones are."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.metadata import DistributionFinder, PathDistribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from chanx.asyncapi import generate_document, to_json_text
from chanx.asyncapi.cli._commands import chanx
from chanx.asyncapi.discovery import ENTRY_POINTS

from .torture import OPTIONS, ROUTES

INTEGRATION = """
from chanx.asyncapi.discovery import Application
from chanx.asyncapi import DocumentOptions

def discover(target):
    if target.name.endswith("broken"):
        raise RuntimeError("it is   broken.")
    routes = getattr(target.value, "consumer_routes", None)
    return None if routes is None else Application(tuple(routes), DocumentOptions(title="Shop"))
"""
SHOP = """
from types import SimpleNamespace
from chanx.asyncapi import ConsumerRoute
from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

class PingConsumer(ChanxWebsocketConsumerMixin):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

app = SimpleNamespace(consumer_routes=[ConsumerRoute("/ws", (), PingConsumer)])
empty = SimpleNamespace(consumer_routes=[])

class LateConsumer(ChanxWebsocketConsumerMixin):
    @ws_handler
    async def handle_ping(self, message: "OnlyForTypes") -> PongMessage:
        return PongMessage()

late = SimpleNamespace(consumer_routes=[ConsumerRoute("/ws", (), LateConsumer)])
broken = app
nothing = object()
config = {"title": "Other", "version": "2"}
wrong_config = {"titel": "Other"}

def create_app():
    return app

def failing():
    raise LookupError("no database")
"""
UNRESOLVED = """
from __future__ import annotations
from types import SimpleNamespace
from typing import TYPE_CHECKING
from chanx.asyncapi import ConsumerRoute
from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
if TYPE_CHECKING:
    from chanx.messages.incoming import PingMessage

class PingConsumer(ChanxWebsocketConsumerMixin):
    @ws_handler
    async def handle_ping(self, message: PingMessage) -> None: ...

app = SimpleNamespace(consumer_routes=[ConsumerRoute("/ws", (), PingConsumer)])
"""
DOCUMENT = to_json_text(generate_document(ROUTES, OPTIONS))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an application and an installed integration, and the working directory."""
    info = tmp_path / "integration-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: integration\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\ntest = integration:discover\n")
    (tmp_path / "integration.py").write_text(INTEGRATION)
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "unimportable.py").write_text("import missing_module")
    (tmp_path / "torture.json").write_text(DOCUMENT, encoding="utf-8")
    # pytest does not annotate its argument.
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType]
    monkeypatch.chdir(tmp_path)
    for name in ("integration", "shop"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(chanx, arguments)


def export(*arguments: str) -> dict[str, Any]:
    result = run("asyncapi", "export", *arguments)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_the_installed_command(project: Path) -> None:
    command = [str(Path(sys.executable).with_name("chanx")), "asyncapi", "export", "shop:app"]
    environment = {"PYTHONPATH": str(project)}
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)

    assert json.loads(done.stdout) == export("shop:app")
    assert "\x1b[" not in done.stdout


def test_without_the_extra_it_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['click'] = None; from chanx.asyncapi.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)

    assert done.returncode == 2
    assert 'pip install "chanx-asyncapi[cli]"' in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", [(), ("asyncapi",), ("asyncapi", "export"), ("doctor",)])
def test_help(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_export_writes_the_document(project: Path) -> None:
    document = export("shop:app")

    assert document["info"]["title"] == "Shop"
    assert document["channels"]["ping"]["address"] == "/ws"
    assert export("shop:create_app()") == document
    result = run("asyncapi", "export", "shop:app", "-o", "shop.yml")
    assert result.stdout == ""
    assert "shop.yml: 1 channel, 2 operations." in result.stderr
    assert yaml.safe_load((project / "shop.yml").read_text()) == document
    in_yaml = run("asyncapi", "export", "shop:app", "--format", "yaml")
    assert in_yaml.stdout == (project / "shop.yml").read_text()


def test_what_a_document_says_can_be_said_here() -> None:
    document = export(
        "shop:app",
        *("--config", "shop:config", "--server-url", "wss://a.example"),
        *("--asyncapi-version", "3.1.0"),
    )

    assert document["asyncapi"] == "3.1.0"
    assert document["info"] == {"title": "Other", "version": "2"}
    assert document["servers"] == {"production": {"host": "a.example", "protocol": "wss"}}


def test_an_application_without_consumers_is_warned_about() -> None:
    result = run("asyncapi", "export", "shop:empty")

    assert result.exit_code == 0
    assert "Warning: shop:empty serves no consumers." in result.stderr
    assert json.loads(result.stdout)["channels"] == {}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("shop.json", "  ", "    "), ("shop.yaml", "asyncapi:", "# Ours\nasyncapi:")],
)
def test_check_fails_on_drift_and_shows_it(project: Path, name: str, old: str, new: str) -> None:
    path = project / name
    run("asyncapi", "export", "shop:app", "-o", name)
    # Whatever formatter was run over it.
    path.write_text(path.read_text().replace(old, new))

    good = run("asyncapi", "export", "shop:app", "--check", name)
    path.write_text(path.read_text().replace("/ws", "/old"))
    bad = run("asyncapi", "export", "shop:app", "--check", name)

    assert (good.exit_code, good.stdout) == (0, "")
    assert f"{name} is up to date." in good.stderr
    assert bad.exit_code == 1
    lines = bad.stdout.splitlines()
    assert [line for line in lines if line.startswith("-") and "/old" in line]
    assert [line for line in lines if line.startswith("+") and "/ws" in line]
    assert len(lines) < 20
    assert "export it again" in bad.stderr


def test_html_writes_a_page_for_any_web_server(project: Path) -> None:
    result = run("asyncapi", "html", "shop:app", "--output", "site/docs")

    assert result.exit_code == 0
    page = (project / "site/docs/index.html").read_text(encoding="utf-8")
    assert "<title>Shop</title>" in page
    for name in ("style.css", "page.js", "validator.js", "asyncapi.json"):
        assert (project / "site/docs" / name).stat().st_size


def test_validate(project: Path) -> None:
    good = run("asyncapi", "validate", "torture.json")
    (project / "bad.json").write_text(DOCUMENT.replace('"host": "a.example"', '"host": "ws://a"'))
    bad = run("asyncapi", "validate", "bad.json")

    assert good.exit_code == 0
    assert "valid AsyncAPI 3.0.0, 13 channels" in good.stderr
    assert bad.exit_code == 1
    assert bad.stdout.startswith("/servers/production/host  The host 'ws://a' is more than")
    assert bad.stdout.rstrip().endswith("[server-host]")
    assert "1 problem." in bad.stderr


@pytest.mark.parametrize(
    ("old", "new", "options", "code"),
    [
        ("torture.json", "torture.json", (), 0),
        ("torture.json", "torture.json", ("--fail-on", "any"), 0),
        ("torture.json", "removed.json", (), 1),
        ("removed.json", "torture.json", (), 0),
        ("removed.json", "torture.json", ("--fail-on", "any"), 1),
        ("torture.json", "removed.json", ("--allow", "channel-removed"), 0),
    ],
    ids=range(6),
)
def test_diff(project: Path, old: str, new: str, options: tuple[str, ...], code: int) -> None:
    removed = generate_document(ROUTES[:-1], OPTIONS)
    (project / "removed.json").write_text(to_json_text(removed))

    result = run("asyncapi", "diff", old, new, *options)

    assert result.exit_code == code


def test_diff_tells_what_changed(project: Path) -> None:
    (project / "one.json").write_text(to_json_text(generate_document(ROUTES[:1], OPTIONS)))
    (project / "two.json").write_text(to_json_text(generate_document(ROUTES[2:3], OPTIONS)))

    text = run("asyncapi", "diff", "one.json", "two.json")
    as_json = run("asyncapi", "diff", "one.json", "two.json", "--format", "json")

    assert text.stdout.splitlines() == [
        "breaking    The channel /ws/orders/{shop} is gone. [channel-removed]",
        "            /channels/orders_more",
        "compatible  The channel /ws/spelled is new. [channel-added]",
        "            /channels/spelled",
    ]
    assert "2 changes, 1 breaking." in text.stderr
    told = json.loads(as_json.stdout)
    assert told["failed"] is True
    assert told["changes"][0] == {
        "place": "/channels/orders_more",
        "rule": "channel-removed",
        "direction": "both",
        "breaking": True,
        "message": "The channel /ws/orders/{shop} is gone.",
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("export", "nowhere:app"), "Cannot import 'nowhere': ModuleNotFoundError"),
        (("export", "unimportable:app"), "No module named 'missing_module'"),
        (("export", "shop:ap"), "shop has no 'ap'. Did you mean 'app'?"),
        (("export", "shop:app.zzzz"), "shop has no 'zzzz'."),
        (("export", "shop"), "shop is no application that an installed integration knows"),
        (("export", "shop:nothing"), "install chanx-fastchannels or chanx-django"),
        (("export", "shop:create_app"), "write shop:create_app() if it returns the application"),
        (("export", "shop:failing()"), "Calling shop:failing() failed: LookupError: no database."),
        (("export", "shop:broken"), "Cannot look into shop:broken: RuntimeError: it is broken."),
        (
            ("export", "shop:app", "--config", "shop:app"),
            "is no AsyncAPIConfig but SimpleNamespace",
        ),
        (("export", "shop:app", "--config", "shop:wrong_config"), "'titel'"),
        (
            ("export", "shop:late"),
            "An annotation of LateConsumer.handle_ping() names 'OnlyForTypes', which does not exist",
        ),
        (
            ("export", "shop:app", "-o", "no/folder.json"),
            "Cannot write no/folder.json: No such file",
        ),
        (("export", "shop:app", "-o", "a", "--check", "b"), "--check writes nothing"),
        (("export", "shop:app", "--check", "missing.json"), "Cannot read missing.json"),
        (("html", "shop:app", "-o", "shop.py"), "Cannot write shop.py: File exists."),
        (("validate", "missing.json"), "Cannot read missing.json: No such file or directory."),
        (("diff", "torture.json", "shop.py"), "shop.py"),
    ],
    ids=range(18),
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: tuple[str, ...], sentence: str
) -> None:
    result = run("asyncapi", *arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_doctor_looks_at_the_installation() -> None:
    result = run("doctor")

    assert "ok  chanx-core " in result.output
    assert "Documents of test can be made" in result.output


class WithoutIntegrations(PathFinder):
    """Finds what is installed, but neither integration."""

    @staticmethod
    def find_distributions(
        context: DistributionFinder.Context = DistributionFinder.Context(),  # noqa: B008 - as in the base class
    ) -> Iterator[PathDistribution]:
        if context.name not in ("chanx-django", "chanx-fastchannels"):
            yield from PathFinder.find_distributions(context)


def test_doctor_misses_an_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    finders = [WithoutIntegrations if item is PathFinder else item for item in sys.meta_path]
    monkeypatch.setattr(sys, "meta_path", finders)

    result = run("doctor")

    assert result.exit_code == 1
    assert "!!  No integration is installed: pip install chanx-fastchannels" in result.output
    assert "ok  chanx-core " in result.output


def test_doctor_finds_a_file_that_closes_the_namespace(project: Path) -> None:
    """The file of another package, or of an installation gone wrong: it hides what the packages bring."""
    (project / "chanx").mkdir()
    stray = project / "chanx" / "__init__.py"
    stray.write_text(
        "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(project)}
    command = [str(Path(sys.executable).with_name("chanx")), "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)

    assert done.returncode == 1
    assert f"!!  {stray} turns the namespace 'chanx' into one package" in done.stdout


def test_doctor_misses_the_modules_of_a_package(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distribution(project, "chanx-testing", "0.9.0")
    monkeypatch.setitem(sys.modules, "chanx.testing", None)

    result = run("doctor")

    assert result.exit_code == 1
    assert "!!  chanx-testing: chanx.testing cannot be found: pip install --force" in result.output


LAYERS = """
from types import SimpleNamespace
from chanx.asyncapi import ConsumerRoute
from chanx.core.integration import Integration
from chanx.core.layers import ProcessLayer
from shop import PingConsumer

class RedisLayer:
    def __init__(self):
        self.hosts = ["redis://ada:secret@redis.example:6380/0"]

class OnRedis(PingConsumer):
    get_channel_layer = staticmethod(lambda alias: RedisLayer())

class OfTheProcess(Integration):
    process_layer = ProcessLayer(object(), "Register one.")

class InMemory(PingConsumer):
    _integration = OfTheProcess()

class Lost(PingConsumer):
    channel_layer_alias = "lost"

app = SimpleNamespace(consumer_routes=[
    ConsumerRoute("/ws", (), consumer) for consumer in (OnRedis, InMemory, Lost, OnRedis)
])
"""


def test_doctor_looks_at_the_layers_of_an_application(project: Path) -> None:
    (project / "layered.py").write_text(LAYERS)

    result = run("doctor", "layered:app")

    assert result.exit_code == 1
    assert (
        result.output.count("ok  channel layer 'default' (RedisLayer at redis.example:6380)") == 1
    )
    assert "ok  No channel layer is registered: groups and events stay in this" in result.output
    assert "Register one." in result.output
    assert "!!  Lost has no channel layer: register one under the alias 'lost'" in result.output
    assert "secret" not in result.output


def add_distribution(project: Path, name: str, version: str, *requires: str) -> None:
    info = project / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    needed = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"
    )


def test_doctor_finds_what_does_not_fit(project: Path) -> None:
    add_distribution(project, "chanx", "2.13.0")
    add_distribution(
        project,
        "chanx-testing",
        "0.9.0",
        "chanx-core>=5",
        "surely-missing>=1",
        "chanx-asyncapi>=7; extra == 'contract'",
        "hypothesis>=900; extra == 'contract'",
    )
    (project / "integration.py").write_text("raise ImportError('pip install something')")

    result = run("doctor")

    assert result.exit_code == 1
    assert "!!  The single package 'chanx' 2.13.0 overwrites" in result.output
    assert "pip uninstall chanx" in result.output
    assert "!!  chanx-testing: does not fit chanx-core " in result.output
    assert "!!  chanx-testing: needs surely-missing, which is missing" in result.output
    assert "!!  chanx-testing: does not fit chanx-asyncapi " in result.output
    assert "hypothesis" not in result.output
    assert "!!  Documents of test cannot be made: pip install something" in result.output


@pytest.mark.parametrize(
    "command", [["export", "unresolved:app"], ["html", "unresolved:app", "--output", "public"]]
)
def test_a_type_that_does_not_exist_at_run_time_is_an_error_without_traceback(
    project: Path, command: list[str]
) -> None:
    (project / "unresolved.py").write_text(UNRESOLVED, encoding="utf-8")

    result = run("asyncapi", *command)

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Cannot document unresolved:app: NameError: ")
    assert "PingMessage" in result.stderr
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
