"""Run seeds from the folder of the tests: `python -m simulation 0-2000`, or `... 575`, which shows what happens."""

import json
import logging
import sys

from simulation.world import World

first, _, end = sys.argv[1].partition("-")
seeds = range(int(first), int(end or int(first) + 1))
logging.disable(logging.CRITICAL)
worlds = {seed: World.simulate(seed) for seed in seeds}
if len(seeds) == 1:
    for time, what in worlds[seeds[0]].trace:
        sys.stderr.write(f"{time:8.3f} {what}\n")
found = {seed: world.problems for seed, world in worlds.items() if world.problems}
sys.stdout.write(json.dumps(found))
