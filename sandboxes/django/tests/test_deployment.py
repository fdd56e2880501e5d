"""What the rehearsal of a deployment takes from the machine."""

import os
import tempfile
from pathlib import Path

import pytest

from deployment.rehearsal import database_folder, is_open_to_all


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
def test_the_database_server_can_enter_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if temporary files belong into a folder of root."""
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with database_folder() as folder:
        assert is_open_to_all(folder.parent)
    assert not is_open_to_all(tmp_path)
    assert not folder.exists()
