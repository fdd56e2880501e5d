"""The tests that are made from a contract."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import pytest
from asgiref.sync import async_to_sync
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from pydantic_core import from_json, to_json

from chanx.asyncapi import ConsumerRoute, generate_document
from chanx.core.codec import Codec, InvalidFrameError
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage, message_actions
from chanx.testing.contract.document import Channel, Request, channel_of
from chanx.testing.contract.mutations import Mutation, mutations
from chanx.testing.contract.strategies import Values
from chanx.testing.contract.verdict import (
    ContractError,
    Exchange,
    judge_invalid,
    judge_valid,
)
from chanx.testing.socket import Application, WebsocketConnection
from chanx.type_defs import ASGIEvent, JSONObject

__all__ = ["contract_tests"]

Consumer = type[ChanxWebsocketConsumerMixin[Any]]
Headers = list[tuple[bytes, bytes]]
Kind = Literal["valid", "invalid"]
Own = Mapping[type[BaseMessage] | str, st.SearchStrategy[Any]]

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
_refs = count(1)


def contract_tests(
    application: Application,
    path: str,
    consumer: Consumer | None = None,
    *,
    document: JSONObject | None = None,
    channel: str | None = None,
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
    and hold every frame against the document: that of the consumer class, or the one that is given.

    `headers` may be a function, called for each connection. `strategies` makes the messages of a type, or action, whose
    checks no schema can tell. `denied` are the codes of refusals that are right, a guard's say; `may_close` the actions
    that may end the connection. `timeout` is the time for one message, in seconds.

    Raises ValueError where there is nothing to test: no consumer and no document, no handler, no such channel.
    """
    if document is None:
        document = _document_of(path, consumer)
    described = channel_of(document, path, channel)
    if not described.requests:
        raise ValueError(f"The channel {described.name!r} has no handler of messages to test.")
    contract = Contract(
        application=application,
        path=path,
        channel=described,
        consumer=consumer,
        headers=headers,
        subprotocols=subprotocols,
        timeout=timeout,
        own=strategies or {},
        denied=denied,
        may_close=may_close,
    )
    cases = [
        pytest.param(request, kind, id=f"{request.operation}-{kind}")
        for request in described.requests
        for kind in ("valid", "invalid")
    ]
    examples = settings(_SETTINGS, max_examples=max_examples)

    @pytest.mark.parametrize(("request_", "kind"), cases)
    def test_contract(request_: Request, kind: Kind) -> None:
        _run(contract.messages(request_, kind), contract.check(request_, kind), examples, request_)

    return test_contract


def _document_of(path: str, consumer: Consumer | None) -> JSONObject:
    if consumer is None:
        raise ValueError("There is nothing to test: pass a consumer class, or document=...")
    return generate_document([ConsumerRoute(path.partition("?")[0], (), consumer)])


# Any: messages, or messages with something wrong.
def _run(
    messages: st.SearchStrategy[Any],
    check: Callable[[Any], None],
    examples: settings,
    request: Request,
) -> None:
    ran = 0

    @examples
    @given(sent=messages)
    def run(sent: Any) -> None:
        nonlocal ran
        ran += 1
        check(sent)

    with suppress(Unsatisfiable):
        run()
    if not ran:
        raise ContractError(
            f"No example ran: no {request.message.name!r} message that the consumer takes could be made from its "
            "schema. Say how with strategies={...}."
        )


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One channel of an application, and how to talk to it."""

    application: Application
    path: str
    channel: Channel
    consumer: Consumer | None
    headers: Headers | Callable[[], Headers] | None
    subprotocols: list[str] | None
    timeout: float
    own: Own
    denied: Collection[str]
    may_close: Collection[str]

    def messages(self, request: Request, kind: Kind) -> st.SearchStrategy[Any]:
        """Return what is sent in one of the tests."""
        return self.valid(request) if kind == "valid" else self.invalid(request)

    # Any: what messages() makes.
    def check(self, request: Request, kind: Kind) -> Callable[[Any], None]:
        """Return what sends one of them and judges the answers. Raises ContractError."""

        def takes(message: JSONObject) -> None:
            may_close = request.message.name in self.may_close
            exchange = self.exchange(message)
            judge_valid(self.channel, request, exchange, self.denied, may_close)

        def refuses(sent: Mutation) -> None:
            judge_invalid(self.channel, request, self.exchange(sent.message))

        return takes if kind == "valid" else refuses

    def valid(self, request: Request) -> st.SearchStrategy[JSONObject]:
        """Return messages that the server has to take."""
        own = self._own(request)
        made = Values(request.message.components).of(request.message.schema) if own is None else own
        return made.map(lambda message: self._plain(request, message)).filter(self._is_taken)

    def invalid(self, request: Request) -> st.SearchStrategy[Mutation]:
        """Return messages that the server has to refuse, each with a single thing wrong."""

        def wrong(message: JSONObject) -> st.SearchStrategy[Mutation]:
            found = [item for item in mutations(request.message, message) if self._is_refused(item)]
            return st.sampled_from(found) if found else st.nothing()

        return self.valid(request).flatmap(wrong)

    def _own(self, request: Request) -> st.SearchStrategy[Any] | None:
        for key, strategy in self.own.items():
            names = (key,) if isinstance(key, str) else message_actions(key)
            if request.message.name in names:
                return strategy
        return None

    def _plain(self, request: Request, message: Any) -> JSONObject:
        """Return a message as it travels, without what belongs to its envelope."""
        content: JSONObject = (
            from_json(self._codec().encode(message))
            if isinstance(message, BaseMessage)
            else message
        )
        envelope = ("ref", "version") if request.message.correlates else ()
        return {name: value for name, value in content.items() if name not in envelope}

    def _codec(self) -> Codec:
        if self.consumer is None:
            raise ValueError("Without a consumer class, strategies have to make JSON objects.")
        return self.consumer.spec.codec(self.consumer.spec.wire_format)

    def _is_taken(self, message: JSONObject) -> bool:
        """Hold a message against the document, and the consumer's own checks that no schema can tell."""
        return self.channel.is_valid_request(message) and self._is_decoded(message) is not False

    def _is_refused(self, mutation: Mutation) -> bool:
        """Servers may be more lenient than the document, which a consumer class can be asked."""
        return not self.channel.is_valid_request(mutation.message) and not self._is_decoded(
            mutation.message
        )

    def _is_decoded(self, message: JSONObject) -> bool | None:
        if self.consumer is None:
            return None
        try:
            self._codec().decode(to_json(message).decode())
        except InvalidFrameError:
            return False
        return True

    def exchange(self, message: JSONObject) -> Exchange:
        """Send a message on a connection of its own and return everything that came."""
        # Outside of the event loop: whoever makes headers may ask a database.
        headers = self.headers() if callable(self.headers) else self.headers
        return async_to_sync(self._exchange)(message, headers)

    async def _exchange(self, message: JSONObject, headers: Headers | None) -> Exchange:
        connection = WebsocketConnection(self.application, self.path, headers, self.subprotocols)
        async with connection:
            await connection.idle(self.timeout)
            sent = {**message, "ref": f"contract-{next(_refs)}"} if self._correlates else message
            before = _drained(connection)
            await connection.send_to(text_data=to_json(sent).decode())
            try:
                await connection.idle(self.timeout)
            except TimeoutError as error:
                raise Exchange(sent, (*before, *_drained(connection))).broken(str(error)) from None
            return Exchange(sent, (*before, *_drained(connection)))

    @property
    def _correlates(self) -> bool:
        return all(request.message.correlates for request in self.channel.requests)


def _drained(connection: WebsocketConnection) -> tuple[ASGIEvent, ...]:
    events: list[ASGIEvent] = []
    while (event := connection.output_queue.take()) is not None:
        events.append(event)
    return tuple(events)
