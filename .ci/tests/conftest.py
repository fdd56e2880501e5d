"""The modules of .ci are programs and no package: their folder is put where they can be imported from."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
