"""The import path of the single package, in which chanx-core offers these helpers."""

import subprocess
import sys

import chanx.core.testing
import chanx.testing


def test_the_names_are_the_same() -> None:
    for name in chanx.core.testing.__all__:
        assert getattr(chanx.core.testing, name) is getattr(chanx.testing, name)
    assert "WebsocketCommunicatorMixin" in chanx.core.testing.__all__
    assert "capture_broadcast_events" in chanx.core.testing.__all__


def test_the_extra_is_named() -> None:
    program = "import sys; sys.modules['chanx.testing'] = None; import chanx.core.testing"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50
    )

    assert 'ImportError: chanx.core.testing needs: pip install "chanx-core[testing]"' in run.stderr
