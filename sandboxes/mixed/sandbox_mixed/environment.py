"""Values from the environment; README.md describes their variables."""

import os
from pathlib import Path

__all__ = ["DATABASE", "LAYER", "PREFIX", "REDIS_URL"]

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
LAYER = os.environ.get("LAYER", "pubsub")
if LAYER not in ("pubsub", "queue"):
    raise SystemExit(f"LAYER must be pubsub or queue, and is {LAYER!r}.")
DATABASE = os.environ.get("DATABASE", str(Path(__file__).resolve().parents[1] / "db.sqlite3"))
# Layers of different prefixes do not hear each other: both sides have this one.
PREFIX = "newsroom"
