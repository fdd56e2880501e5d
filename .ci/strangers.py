"""Install the built packages as strangers would, by name from an index, and run the example of each README.

    python .ci/strangers.py DIST PLACE

DIST holds wheels and sdists. They are served as a simple index on 127.0.0.1; everything else comes from the index that
pip is set to. PLACE gets the environments.
"""

import functools
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = Path(__file__).with_name("readme_example.py")
# In each environment, one after the other: what is installed, then the READMEs whose examples run.
STEPS = {
    "asgi": [
        ("chanx-fastchannels", []),
        ("chanx-fastchannels[fastapi,asyncapi]", ["chanx-fastchannels"]),
        ("chanx-testing[pytest]", ["chanx-testing", "chanx-fastchannels"]),
    ],
    "django": [
        ("chanx-django[drf,asyncapi]", ["chanx-django"]),
        ("chanx-testing[pytest]", ["chanx-testing", "chanx-django"]),
    ],
    "core": [("chanx-core", ["chanx-core"])],
    "command": [("chanx-asyncapi[cli]", ["chanx-asyncapi"]), ("chanx-fastchannels", [])],
}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    # Any: what the base class takes.
    def log_message(self, format: str, *args: object) -> None: ...


def main(dist: Path, place: Path) -> None:
    """Go through all environments; the first failure ends it."""
    index = place / "simple"
    fill(index, dist)
    with served(place) as url:
        for name, steps in STEPS.items():
            python = new_environment(place / name)
            for requirement, examples in steps:
                print(f"{name}: pip install {requirement}", flush=True)
                install(python, requirement, f"{url}/simple/")
                for package in examples:
                    run(
                        python,
                        "-I",
                        "-W",
                        "error",
                        str(EXAMPLE),
                        str(ROOT / "packages" / package / "README.md"),
                    )
    run(place / "command" / "bin" / "chanx", "doctor")


def fill(index: Path, dist: Path) -> None:
    """Write the index: a folder for each project with its files; the server lists them as links."""
    for file in [*dist.glob("*.whl"), *dist.glob("*.tar.gz")]:
        project = index / file.name.split("-")[0].replace("_", "-")
        project.mkdir(parents=True, exist_ok=True)
        (project / file.name).write_bytes(file.read_bytes())


@contextmanager
def served(place: Path) -> Iterator[str]:
    """Serve a folder on 127.0.0.1 until the end of the block."""
    handler = functools.partial(Quiet, directory=str(place))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def new_environment(place: Path) -> Path:
    venv.create(place, with_pip=True, clear=True)
    return place / "bin" / "python"


def install(python: Path, requirement: str, url: str) -> None:
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--extra-index-url",
        url,
        requirement,
    )
    run(python, "-m", "pip", "check")


def run(program: Path, *arguments: str) -> None:
    """Run it outside the tree, so that nothing but what is installed can be imported."""
    subprocess.run([program, *arguments], cwd=program.parent, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
