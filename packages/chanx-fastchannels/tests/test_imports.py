"""What an import needs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("unused", ["fastapi", "chanx.asyncapi", "redis"])
def test_a_consumer_needs_no_extra(unused: str) -> None:
    program = f"""
import sys
sys.modules[{unused!r}] = None  # what is not installed cannot be imported
from chanx.fast_channels import AsyncJsonWebsocketConsumer, BaseMessage, ws_handler
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
