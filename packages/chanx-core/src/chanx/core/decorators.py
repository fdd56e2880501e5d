"""Decorators that mark handler methods and describe consumer classes."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Never, ParamSpec, TypeVar, overload

from chanx.core.handlers import HANDLER_ATTRIBUTE, HandlerKind, OutputType, declare
from chanx.messages.base import BaseMessage
from chanx.type_defs import ChannelInfo

__all__ = ["OutputType", "channel", "event_handler", "ws_handler"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_A = TypeVar("_A", bound=Awaitable[Any] | AsyncIterator[Any])
_T = TypeVar("_T", bound=type)

CHANNEL_ATTRIBUTE = "__chanx_channel__"


@overload
def ws_handler(
    *,
    action: str | None = None,
    input_type: type[BaseMessage] | None = None,
    output_type: OutputType = None,
    description: str | None = None,
    summary: str | None = None,
    tags: list[str] | None = None,
    concurrent: bool = False,
    cancellable: bool = False,
    guards: Sequence[Any] = (),
) -> Callable[[Callable[_P, _A]], Callable[_P, _A]]: ...
@overload
def ws_handler(
    func: Callable[_P, _A],
    *,
    action: str | None = None,
    input_type: type[BaseMessage] | None = None,
    output_type: OutputType = None,
    description: str | None = None,
    summary: str | None = None,
    tags: list[str] | None = None,
    concurrent: bool = False,
    cancellable: bool = False,
    guards: Sequence[Any] = (),
) -> Callable[_P, _A]: ...
def ws_handler(
    func: Callable[..., Any] | None = None,
    *,
    action: str | None = None,
    input_type: type[BaseMessage] | None = None,
    output_type: OutputType = None,
    description: str | None = None,
    summary: str | None = None,
    tags: list[str] | None = None,
    concurrent: bool = False,
    cancellable: bool = False,
    guards: Sequence[Any] = (),
) -> Any:
    """Mark a method as the handler of one client message.

    The message is the first parameter's type, or `input_type`; it is routed by the message's own action.
    What the method returns is sent to the client. A method that yields, annotated `-> AsyncIterator[...]`, answers by
    a stream that the client may cancel. `action` names the operation in the AsyncAPI document and defaults to the
    method's name; `output_type` documents messages that the method sends by itself.
    `concurrent` takes the handler out of the queue: it runs at once, while other messages are handled,
    which is for messages that must not wait for a long answer. `cancellable` lets the client
    cancel the handling by the message's `ref`. `guards` are
    asked before each message, see `chanx.core.guards`; integrations take permission classes of theirs.

    Raises ValueError without a message parameter or `input_type`. Wrong types raise TypeError when the
    consumer class is created.
    """
    return _mark(
        "ws",
        func,
        action=action,
        input_type=input_type,
        output_type=output_type,
        description=description,
        summary=summary,
        tags=tags,
        concurrent=concurrent,
        cancellable=cancellable,
        guards=guards,
    )


@overload
def event_handler(
    *,
    input_type: type[BaseMessage] | None = None,
    output_type: OutputType = None,
    description: str | None = None,
    summary: str | None = None,
    tags: list[str] | None = None,
) -> Callable[[Callable[_P, Awaitable[_R]]], Callable[_P, Awaitable[_R]]]: ...
@overload
def event_handler(
    func: Callable[_P, Awaitable[_R]],
    *,
    input_type: type[BaseMessage] | None = None,
    output_type: OutputType = None,
    description: str | None = None,
    summary: str | None = None,
    tags: list[str] | None = None,
) -> Callable[_P, Awaitable[_R]]: ...
def event_handler(
    func: Callable[..., Any] | None = None,
    *,
    input_type: type[BaseMessage] | None = None,
    output_type: OutputType = None,
    description: str | None = None,
    summary: str | None = None,
    tags: list[str] | None = None,
) -> Any:
    """Mark a method as the handler of one event, which other parts of the server send.

    See `send_event()` and `broadcast_event()` of the consumer. What the method returns is sent to the client.
    Errors are raised as for `ws_handler()`.
    """
    return _mark(
        "event",
        func,
        input_type=input_type,
        output_type=output_type,
        description=description,
        summary=summary,
        tags=tags,
    )


def channel(
    *wrong: Never,
    name: str | None = None,
    description: str | None = None,
    tags: list[str] | None = None,
) -> Callable[[_T], _T]:
    """Describe a consumer class as a channel of the AsyncAPI document.

    Without a description the class docstring is used; without a name, the class name in snake case.

    Raises TypeError where it is used without parentheses.
    """
    if wrong:
        raise TypeError(
            f"@channel takes named arguments only, and was given {wrong[0]!r}: write @channel(name=...)."
        )
    _check_tags(tags, "@channel")
    info: ChannelInfo = {"name": name, "description": description, "tags": tags}

    def describe(consumer: _T) -> _T:
        setattr(consumer, CHANNEL_ATTRIBUTE, info)
        return consumer

    return describe


def _check_tags(tags: object, where: str) -> None:
    if isinstance(tags, str):  # it would be read letter by letter
        raise TypeError(
            f"tags of {where} must be a list, and is {tags!r}: write 'tags=[{tags!r}]'."
        )


# Any: the options of `declare()`, which the decorators have in their signatures.
def _mark(kind: HandlerKind, func: Callable[..., Any] | None, **options: Any) -> Any:
    _check_tags(options["tags"], f"@{kind}_handler")

    def record(function: Callable[..., Any]) -> Callable[..., Any]:
        if not inspect.isroutine(function):
            name = f"{kind}_handler"
            raise TypeError(
                f"@{name} marks a method, and was given {function!r}: write @{name} or @{name}(option=...)."
            )
        setattr(function, HANDLER_ATTRIBUTE, declare(kind, function, **options))
        return function

    return record if func is None else record(func)
