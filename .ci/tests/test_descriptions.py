"""What the index of Python packages shows of each package: its README, without links that lead nowhere from there."""

import email
import re
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
LINK = re.compile(
    r"\]\(([^)\s]+)\)|<(?:a|img)\s[^>]*(?:href|src)=\"([^\"]+)\"|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE
)

pytestmark = pytest.mark.timeout(180)


def links(text: str) -> list[str]:
    return [next(filter(None, found.groups())) for found in LINK.finditer(text)]


@pytest.fixture(params=PACKAGES)
def metadata(request: pytest.FixtureRequest, built: Path) -> email.message.Message:
    (wheel,) = built.glob(f"{request.param.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_a_description_has_no_link_that_is_dead_outside_the_repository(
    metadata: email.message.Message,
) -> None:
    body = metadata.get_payload(decode=True)
    assert isinstance(body, bytes)
    description = body.decode()
    description = body.decode()

    assert metadata["Description-Content-Type"] == "text/markdown"
    assert description.startswith(f"# {metadata['Name']}\n")
    assert [link for link in links(description) if not link.startswith("https://")] == []


def test_links_are_found_however_they_are_written() -> None:
    text = '[a](b.md) ![c](d.png) <a href="e"> <img alt="" src="f">\n[g]: h'

    assert links(text) == ["b.md", "d.png", "e", "f", "h"]
