"""The tests that are made from a contract."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest
from asgiref.sync import async_to_sync
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from chanx.asyncapi import ConsumerRoute, generate_document
from chanx.testing.contract.channel import Channel, Request, channel_of
from chanx.testing.contract.connection import ContractConnection
from chanx.testing.contract.conversation import Conversation
from chanx.testing.contract.making import Consumer, Making, Own
from chanx.testing.contract.scenarios import Kind, Scenario, Script, kinds_of
from chanx.testing.contract.topic_names import TopicName, check_name
from chanx.testing.contract.topic_scenarios import play
from chanx.testing.contract.verdict import ContractError
from chanx.testing.socket import Application
from chanx.type_defs import JSONObject

__all__ = ["contract_tests"]

Headers = list[tuple[bytes, bytes]]

# One message may take long to make, and many may have to be thrown away: neither says anything about the server.
# Explaining a failure traces the whole server, line by line.
_SETTINGS = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.too_slow,
    ],
)


def contract_tests(
    application: Application,
    path: str,
    consumer: Consumer | None = None,
    *,
    document: JSONObject | None = None,
    channel: str | None = None,
    topic: TopicName = None,
    headers: Headers | Callable[[], Headers] | None = None,
    subprotocols: list[str] | None = None,
    strategies: Own | None = None,
    denied: Collection[str] = (),
    may_close: Collection[str] = (),
    max_examples: int = 25,
    timeout: float = 5,
) -> Callable[[Request, Kind], None]:
    """Make the tests of a consumer's contract: assign the result to a name that begins with `test_`.

    They send generated messages to the application, valid ones for every handler and ones with a single thing wrong,
    and hold every frame against the document: that of the consumer class, or the one that is given. Streams get credit
    and are cancelled, requests of the server are answered.

    For a topic, give the name of its channel in the document, and the name of a topic to which the client may
    subscribe: `channel="hub_room_topic", topic="room:5"`. `topic` may be a function, called for each connection.
    Without `topic`, names are made from the pattern.

    `headers` may be a function, called for each connection. `strategies` makes the messages of a type, or action, whose
    checks no schema can tell. `denied` are the codes of refusals that are right, a guard's say; `may_close` the actions
    that may end the connection. `timeout` is the time for one step of a conversation, in seconds.

    Raises ValueError where there is nothing to test: no consumer and no document, no handler, no such channel, no name
    of a topic.
    """
    if document is None:
        document = _document_of(path, consumer)
    described = channel_of(document, path, channel)
    check_name(described, topic)
    if not described.requests and described.topic is None:
        raise ValueError(f"The channel {described.name!r} has no handler of messages to test.")
    contract = Contract(
        application=application,
        path=path,
        channel=described,
        topic=topic,
        headers=headers,
        subprotocols=subprotocols,
        timeout=timeout,
        denied=denied,
        may_close=may_close,
    )
    making = Making(described, consumer, strategies or {}, topic)
    cases = [
        pytest.param(request, kind, id=f"{request.operation}-{kind}")
        for request in (*described.requests, *described.topic_requests[:1])
        for kind in kinds_of(described, request)
    ]
    examples = settings(_SETTINGS, max_examples=max_examples)

    @pytest.mark.parametrize(("request_", "kind"), cases)
    def test_contract(request_: Request, kind: Kind) -> None:
        scripts = making.scripts(request_, kind)
        _run(scripts, partial(contract.check, request_, kind), examples, request_)

    return test_contract


def _document_of(path: str, consumer: Consumer | None) -> JSONObject:
    if consumer is None:
        raise ValueError("There is nothing to test: pass a consumer class, or document=...")
    return generate_document([ConsumerRoute(path.partition("?")[0], (), consumer)])


def _run(
    scripts: st.SearchStrategy[Script],
    play: Callable[[Script], None],
    examples: settings,
    request: Request,
) -> None:
    ran = 0

    @examples
    @given(script=scripts)
    def run(script: Script) -> None:
        nonlocal ran
        ran += 1
        play(script)

    with suppress(Unsatisfiable):
        run()
    if not ran:
        raise ContractError(
            f"No example ran: no {request.message.name!r} message that the consumer takes, or no answer to a request "
            "of the server, could be made from its schema. Say how with strategies={...}."
        )


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One channel of an application, and how to reach it."""

    application: Application
    path: str
    channel: Channel
    topic: TopicName
    headers: Headers | Callable[[], Headers] | None
    subprotocols: list[str] | None
    timeout: float
    denied: Collection[str]
    may_close: Collection[str]

    def check(self, request: Request, kind: Kind, script: Script) -> None:
        """Play a script on a connection of its own. Raises ContractError."""
        # Outside of the event loop: whoever makes headers may ask a database.
        headers = self.headers() if callable(self.headers) else self.headers
        async_to_sync(self._play)(request, kind, script, headers, self._name(script))

    def _name(self, script: Script) -> str | None:
        if not callable(self.topic):
            return script.topic or None
        name = self.topic()
        check_name(self.channel, name)
        return name

    async def _play(
        self,
        request: Request,
        kind: Kind,
        script: Script,
        headers: Headers | None,
        topic: str | None,
    ) -> None:
        connection = ContractConnection(self.application, self.path, headers, self.subprotocols)
        async with connection:
            talk = Conversation(connection, self.channel, script.replies, self.timeout, topic)
            await talk.settle()
            may_close = request.message.name in self.may_close
            await play(Scenario(talk, request, script, self.denied, may_close), kind)
