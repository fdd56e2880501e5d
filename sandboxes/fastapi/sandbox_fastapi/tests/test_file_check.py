"""The file check, on packages that are made for it."""

import asyncio
import hashlib
import os
from base64 import urlsafe_b64encode
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from chanx.testing import WebsocketCommunicator
from sandbox_fastapi.apps.file_check import files
from sandbox_fastapi.apps.file_check.consumer import FileCheckConsumer
from sandbox_fastapi.main import app

CONTENTS = {"good.py": b"good", "changed.py": b"before", "missing.py": b"lost", "last.py": b""}


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one installed package, and nothing else installed."""
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    record = tmp_path / "made-1.0.dist-info" / "RECORD"
    record.parent.mkdir()
    lines = [
        f"{name},sha256={encoded(content)},{len(content)}" for name, content in CONTENTS.items()
    ]
    record.write_text("\n".join([*lines, "made-1.0.dist-info/RECORD,,"]))
    monkeypatch.setattr(files, "distributions", partial(distributions, path=[str(tmp_path)]))
    return tmp_path


def encoded(content: bytes) -> str:
    """Return a hash as installers record it."""
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def connection() -> WebsocketCommunicator:
    """Return a client that has yet to connect."""
    return WebsocketCommunicator(app, "/ws/file_check", consumer=FileCheckConsumer)


async def until_end(client: WebsocketCommunicator) -> list[dict[str, Any]]:
    """Return the frames up to the end of the stream."""
    frames = [await client.receive_json_from()]
    while "seq" in frames[-1]:
        frames.append(await client.receive_json_from())
    return frames


async def test_progress_and_result(site: Path) -> None:
    """An item for each file with a hash, then what is changed or missing."""
    (site / "changed.py").write_bytes(b"after")
    (site / "missing.py").unlink()
    async with connection() as client:
        await client.send_json_to({"action": "check_files", "ref": "1"})
        *progress, result, end = await until_end(client)

    assert [item["payload"] for item in progress] == [
        {"file": name, "done": done, "total": len(CONTENTS)}
        for done, name in enumerate(CONTENTS, 1)
    ]
    assert result["payload"] == {"checked": 4, "changed": ["changed.py", "missing.py"]}
    assert end["action"] == "complete"


async def test_a_check_can_be_stopped(caplog: pytest.LogCaptureFixture) -> None:
    """After the files for which the client gave credit; the generator is closed before the end is sent."""
    async with connection() as client:
        await client.send_json_to({"action": "check_files", "ref": "1", "window": 2})
        for done in (1, 2):
            assert (await client.receive_json_from())["payload"]["done"] == done
        await client.send_json_to({"action": "cancel", "ref": "1"})
        (end,) = await until_end(client)
        assert "stopped after 2 of 4 files" in caplog.text

    assert end["payload"][0]["type"] == "cancelled"


async def test_who_leaves_stops_the_check(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing goes on for a client that has gone."""
    async with connection() as client:
        await client.send_json_to({"action": "check_files", "ref": "1", "window": 1})
        await client.receive_json_from()

    assert "stopped after 1 of 4 files" in caplog.text


async def test_a_slow_disk_delays_only_the_check(site: Path) -> None:
    """While a file is read, pings are answered and the check can be stopped."""
    (site / "good.py").unlink()
    os.mkfifo(site / "good.py")
    async with connection() as client:
        await client.send_json_to({"action": "check_files", "ref": "1"})
        # Returns once the check has opened the file; then it reads until the writer is closed.
        with await asyncio.to_thread(open, site / "good.py", "wb"):
            await client.send_json_to({"action": "ping", "ref": "2"})
            answers = [await client.receive_json_from() for _ in range(2)]
            assert [(frame["action"], frame["ref"]) for frame in answers] == [
                ("pong", "2"),
                ("complete", "2"),
            ]
            await client.send_json_to({"action": "cancel", "ref": "1"})
            (end,) = await until_end(client)

    assert end["payload"][0]["type"] == "cancelled"
