"""Admitting one connection, or denying it."""

import asyncio
import inspect
from collections.abc import Collection

from chanx.constants import CLOSE_AUTHENTICATION_FAILED, CLOSE_AUTHENTICATION_TIMEOUT
from chanx.core._ports import AdmittedConsumer, Authenticator, ServedConnection
from chanx.core._runtime.containment import contained
from chanx.core._telemetry.failure_log import log_failure
from chanx.core._telemetry.log_context import update_user
from chanx.core.origin import is_allowed_origin
from chanx.utils.logging import logger
from chanx.utils.scope import header
from chanx.utils.text import is_text_list

__all__ = ["admit"]


async def admit(consumer: AdmittedConsumer, connection: ServedConnection) -> None:
    """Take a connection through origin, handshake, authentication and groups, in this order.

    A step that denies it closes it. The connection is admitted once its groups are joined: from then on it gets
    `post_authentication()` and, at its end, `disconnect()`. Raises what the consumer's hooks raise, and
    LayerUnavailableError.
    """
    declared = frozenset(consumer.groups)
    if not is_allowed_origin(type(consumer).allowed_origins, consumer.scope):
        _log_refused_origin(consumer)
        await consumer.close()
        return
    early = not consumer.authenticate_before_accept
    if early and not await _accepted(consumer, connection):
        return
    connection.begin_authentication()
    if not await _authenticated(consumer, connection):
        return
    if not early and not await _accepted(consumer, connection):
        return
    await connection.open_subscriber()
    update_user(consumer.scope)
    await _join_groups(consumer, connection, declared)
    if connection.is_closing:
        return
    connection.admitted = True
    await consumer.post_authentication()


def _log_refused_origin(consumer: AdmittedConsumer) -> None:
    logger.warning(
        "WebSocket refused: origin %.500r is not in %s.allowed_origins (host %.500r)",
        header(consumer.scope, "origin"),
        type(consumer).__name__,
        header(consumer.scope, "host"),
    )


async def _accepted(consumer: AdmittedConsumer, connection: ServedConnection) -> bool:
    """Let `connect()` accept the handshake; tell whether it did."""
    if not consumer.spec.shortcuts.connect:
        await connection.open_subscriber()
    integration = consumer.spec.integration
    try:
        await consumer.connect()
    except integration.accept_errors:
        await consumer.accept()
    except integration.deny_errors:
        await consumer.close()
    if connection.is_closing:
        return False
    if not connection.accepted:
        raise RuntimeError(
            f"{type(consumer).__name__}.connect() returned without a decision: "
            "await self.accept() or await self.close() in it."
        )
    return True


async def _authenticated(consumer: AdmittedConsumer, connection: ServedConnection) -> bool:
    if consumer.authenticator is None and not consumer.spec.integration.has_provisions(
        type(consumer)
    ):
        return True
    reason = ""
    limit = asyncio.timeout(consumer.authentication_timeout)
    try:
        async with limit:
            refusal = await _refusal(consumer)
        if refusal is None:
            return True
        code, reason = refusal
    except BaseException as error:
        failure = await contained(error, connection)
        if isinstance(failure, TimeoutError) and limit.expired():
            timeout = consumer.authentication_timeout
            logger.warning("Authentication timed out (authentication_timeout=%g)", timeout)
            code = CLOSE_AUTHENTICATION_TIMEOUT
        else:
            log_failure(consumer, "Error while authenticating", failure)
            code = CLOSE_AUTHENTICATION_FAILED
    await consumer.close(code, reason)
    return False


async def _refusal(consumer: AdmittedConsumer) -> tuple[int, str] | None:
    authenticator = consumer.authenticator
    if authenticator is not None and not _decision(
        authenticator, await authenticator.authenticate(consumer.scope)
    ):
        return authenticator.close_code, ""
    return await consumer.spec.integration.provide(consumer)


def _decision(authenticator: Authenticator, admitted: object) -> bool:
    """Take what an authenticator decided. Raises TypeError for an awaitable, which is true whatever it would say."""
    if inspect.isawaitable(admitted):
        if inspect.iscoroutine(admitted):
            admitted.close()
        raise TypeError(
            f"{type(authenticator).__name__}.authenticate() returned an awaitable in place of a bool: "
            "write 'return await ...' in it."
        )
    return bool(admitted)


async def _join_groups(
    consumer: AdmittedConsumer, connection: ServedConnection, declared: frozenset[str]
) -> None:
    if consumer.channel_layer is None:
        return
    # `connect()` may have joined these on the layer itself: two memberships would deliver each message twice.
    named_since = set(consumer.groups) - declared
    named = _checked_groups(consumer, await consumer.get_groups())
    for group in dict.fromkeys([*consumer.groups, *named]):
        await consumer.join_group(group)
        if group in named_since:
            await connection.leave_by_hand(group)


def _checked_groups(consumer: AdmittedConsumer, named: object) -> Collection[str]:
    """Raise TypeError for a text, which would be read letter by letter, and for names that are none."""
    if is_text_list(named):
        return named
    where = f"{type(consumer).__name__}.get_groups()"
    raise TypeError(f"{where} must return a list of group names, and returned {named!r}.")
