"""Many seeds, each a world of its own: nothing is left, nobody is stuck, and no loss is silent.

`SIMULATION_SEEDS=2000` runs so many, in as many processes as there are processors. In the folder above,
`PYTHONHASHSEED=0 python -m simulation 575` runs one, and shows what happens in it.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from .world import World

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "50"))
TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: a storm is loud."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_worlds() -> None:
    """Whatever goes wrong, in whatever order."""
    shares = os.cpu_count() or 1
    bounds = [SEEDS * share // shares for share in range(shares + 1)]
    running = [start(first, end) for first, end in pairwise(bounds)]
    found: dict[str, list[str]] = {}
    for process in running:
        output, _ = process.communicate()
        found |= json.loads(output)
    assert [process.returncode for process in running] == [0] * shares
    assert found == {}


def start(first: int, end: int) -> "subprocess.Popen[bytes]":
    """Run some seeds in a process of their own."""
    command = [sys.executable, "-m", "simulation", f"{first}-{end}"]
    # Sets of names have the same order in each process.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, env=environment)


@pytest.mark.parametrize("seed", range(5))
def test_world_is_the_same_again(seed: int) -> None:
    """A seed that fails can be looked at: everything happens at the same time once more."""
    assert World.simulate(seed).trace == World.simulate(seed).trace
