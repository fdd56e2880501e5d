"""The documents that other tools check: those of the sandboxes and of the torture application."""

import sys
from pathlib import Path

CHANX = str(Path(sys.executable).with_name("chanx"))
TORTURE = [sys.executable, "packages/chanx-asyncapi/tests/torture.py"]
FASTAPI = [CHANX, "asyncapi", "export", "sandbox_fastapi.main:app"]
DJANGO = [CHANX, "asyncapi", "export", "config.settings"]
MIXED = [sys.executable, "-c"]
BOTH_SIDES = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox_mixed.django_settings"
import django
django.setup()
from chanx.asyncapi import DocumentOptions, publish
from sandbox_mixed.documents import routes_of_both
from sandbox_mixed.fastapi_side import app
options = DocumentOptions(title="Both", server_url="localhost", asyncapi_version=sys.argv[1])
sys.stdout.buffer.write(publish(routes_of_both(app), options).content)
"""


def _options(name: str, version: str) -> list[str]:
    special = {"torture": ["to_json_text", version], "mixed": [BOTH_SIDES, version]}
    return special.get(name, ["--asyncapi-version", version])


# Where each document comes from: a folder, and a command that prints it.
SOURCES = {
    f"{name}-{version}": (folder, [*command, *options])
    for name, folder, command in [
        ("torture", ".", TORTURE),
        ("fastapi", "sandboxes/fastapi", FASTAPI),
        ("django", "sandboxes/django", DJANGO),
        ("mixed", "sandboxes/mixed", MIXED),
    ]
    for version in ("3.0.0", "3.1.0")
    for options in [_options(name, version)]
}
