"""What every integration of chanx must do, written once.

An integration's own tests subclass `IntegrationSuite` with its consumer base class and a channel layer. Needs pytest
and pytest-asyncio (extra `pytest`).
"""

from chanx.testing.integration.access import AccessTests
from chanx.testing.integration.declarations import DeclarationTests
from chanx.testing.integration.ending import EndingTests
from chanx.testing.integration.errors import ErrorTests
from chanx.testing.integration.extensions import ExtensionTests
from chanx.testing.integration.groups import GroupTests
from chanx.testing.integration.messages import MessageTests
from chanx.testing.integration.options import OptionTests
from chanx.testing.integration.order import OrderTests

__all__ = ["IntegrationSuite"]


class IntegrationSuite(
    MessageTests,
    ErrorTests,
    ExtensionTests,
    OrderTests,
    GroupTests,
    AccessTests,
    EndingTests,
    DeclarationTests,
    OptionTests,
):
    """The behaviour of one connection, through the public door."""
