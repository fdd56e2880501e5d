"""Importing the package before Django is set up."""

import subprocess
import sys


def test_the_application_is_installed_before_anything_is_ready() -> None:
    """Django imports the package to find its AppConfig; models and consumers come later."""
    program = """
import sys
import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["channels", "chanx.channels"], SECRET_KEY="of a test")
import chanx.channels
assert "chanx.channels.websocket" not in sys.modules
django.setup()
from chanx.channels import AsyncJsonWebsocketConsumer
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
