"""Every `pip install` of the documentation can be resolved from a checkout, as docs/installation.md says."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")]
# Shown where the repository is, not on PyPI.
WITH_BLOCK = [
    "README.md",
    "docs/installation.md",
    "docs/tutorials/django.md",
    "docs/tutorials/fastapi.md",
]
REQUIREMENT = re.compile(r"chanx-[a-z]+(?:\[[\w,]+\])?")

pytestmark = pytest.mark.timeout(600)  # dependencies may have to be downloaded


def preparation(page: Path) -> list[str]:
    """Return the lines of the page that let pip find the packages of a checkout."""
    blocks = [token.content for token in MarkdownIt().parse(page.read_text()) if token.info == "sh"]
    (block,) = (block for block in blocks if "PIP_FIND_LINKS" in block)
    return block.splitlines()[:3]


def requirements() -> list[str]:
    """Return what the pages install, each once."""
    lines = (line for page in PAGES for line in page.read_text().splitlines())
    commands = (line for line in lines if "pip install" in line)
    return sorted({found for line in commands for found in REQUIREMENT.findall(line)})


def test_the_pages_say_the_same() -> None:
    first, *others = (preparation(ROOT / page) for page in WITH_BLOCK)
    assert all(other == first for other in others)


def test_what_the_pages_install_is_found_in_a_checkout(tmp_path: Path) -> None:
    """Typed as it stands there, with a home folder that holds the checkout."""
    (tmp_path / "chanx").mkdir()
    (tmp_path / "chanx" / "packages").symlink_to(ROOT / "packages")
    wanted = requirements()
    assert "chanx-core" in wanted
    install = ["pip", "install", "--quiet", "--dry-run", *(f"'{item}'" for item in wanted)]
    script = "\n".join([*preparation(ROOT / "docs/installation.md"), " ".join(install)])
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
