"""One import line for what a project needs: the names that the package of an integration offers."""

import importlib
from typing import Any, ClassVar

from chanx.core.decorators import event_handler
from chanx.testing.socket import Application
from chanx_conformance.consumers import Answering
from chanx_conformance.models import NewsEvent
from chanx_conformance.suite import Consumer, Suite

__all__ = ["ImportTests"]

# What every integration offers, by the module that defines it.
SHARED = {
    "chanx.core.authenticator": ["BaseAuthenticator"],
    "chanx.core.decorators": ["channel", "event_handler", "ws_handler"],
    "chanx.core.exceptions": ["DeniedError", "MessageError"],
    "chanx.core.guards": ["Guard"],
    "chanx.core.limits": ["Limits"],
    "chanx.core.topic": ["Topic"],
    "chanx.messages.base": ["BaseMessage"],
    "chanx.messages.incoming": ["PingMessage"],
    "chanx.messages.outgoing": ["PongMessage"],
}


class Desk(Answering):
    """Handles a message and an event."""

    @event_handler
    async def news(self, event: NewsEvent) -> NewsEvent:
        """Pass it on."""
        return event


class ImportTests(Suite):
    """The package of an integration offers what a project needs, and nothing else."""

    # Any: its names are found when they are used.
    package: ClassVar[Any]
    """The integration's package."""
    own: ClassVar[dict[str, list[str]]]
    """What it offers beyond that of every integration, by the module that defines it."""

    def application(self, consumer: Consumer) -> Application:
        """Serve a consumer at `/ws/`, as the integration's documentation does."""
        raise NotImplementedError

    def test_every_name_is_the_one_of_its_module(self) -> None:
        """So that both imports give the same object."""
        offered = [
            (module, name)
            for names_by_module in (SHARED, self.own)
            for module, names in names_by_module.items()
            for name in names
        ]
        for module, name in offered:
            assert getattr(self.package, name) is getattr(importlib.import_module(module), name)
        assert sorted(name for _, name in offered) == self.package.__all__
        assert set(self.package.__all__) <= set(dir(self.package))

    async def test_the_names_make_an_application(self) -> None:
        """One import line is enough for a consumer and its tests."""
        names = self.package
        consumer = names.channel(name="desk")(self.make(Desk, limits=names.Limits(max_pending=8)))
        async with self.connect_to(consumer, "/ws/", application=self.application(consumer)) as ws:
            assert await ws.request(names.PingMessage()) == names.PongMessage()
