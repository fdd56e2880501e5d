"""The commands of the README that are programs of others."""

import sys
from pathlib import Path

from sandbox_fastapi.tests.support import finished


async def test_the_tests_measure_their_coverage(tmp_path: Path) -> None:
    some = "sandbox_fastapi/tests/test_settings.py"
    command = ("-m", "pytest", some, "--cov=sandbox_fastapi", "-p", "no:cacheprovider")
    data = {"COVERAGE_FILE": str(tmp_path / "coverage")}

    run = await finished(sys.executable, *command, environment=data)

    assert run.code == 0, run.out
    assert "sandbox_fastapi/settings.py" in run.out
    assert "TOTAL" in run.out
