"""What a decorated method handles: the record that decorators leave and the rest of the library reads."""

import inspect
import types
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import (
    Any,
    ForwardRef,
    Literal,
    Protocol,
    Union,
    cast,
    get_args,
    get_origin,
    runtime_checkable,
)

from chanx.messages.base import BaseMessage, message_actions

__all__ = [
    "HandlerKind",
    "HandlerSpec",
    "HandlerSupport",
    "MessageGuard",
    "OutputType",
    "ParameterResolver",
]

HandlerKind = Literal["ws", "event"]
OutputType = (
    type[BaseMessage]
    | types.UnionType
    | list[type[BaseMessage]]
    | tuple[type[BaseMessage], ...]
    | None
)

_ITERATORS = (AsyncIterator, AsyncIterable, AsyncGenerator)
HANDLER_ATTRIBUTE = "__chanx_handler__"
_EMPTY_CELL = types.CellType()
# Sentinel: the annotation is read when types are resolved, which may be after decoration (forward references).
_FROM_ANNOTATION: Any = object()


# Of (consumer, message): gives the values of a handler's further parameters and cleans up behind it.
ParameterResolver = Callable[[Any, BaseMessage], AbstractAsyncContextManager[dict[str, Any]]]


@runtime_checkable
class MessageGuard(Protocol):
    """Decides whether a message may be handled."""

    # Any: guards are written for the consumer class.
    async def check(self, consumer: Any, message: BaseMessage) -> object:
        """Raise DeniedError, or return False, to deny the message."""
        ...


class HandlerSupport(Protocol):
    """What an integration knows of guards and parameters."""

    def as_guard(self, candidate: object, where: str) -> MessageGuard:
        """Make a guard of what a decorator was given."""
        ...

    def parameter_resolver(
        self, function: Callable[..., Any], parameters: list[inspect.Parameter], where: str
    ) -> ParameterResolver | None:
        """Return what provides the parameters after the message."""
        ...


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """One handler method, its messages and its documentation.

    `action` names the operation in documents; messages are routed by the actions of `input_type`.
    """

    kind: HandlerKind
    function: Callable[..., Any]
    action: str
    method_name: str
    description: str | None = None
    summary: str | None = None
    tags: tuple[str, ...] = ()
    concurrent: bool = False
    cancellable: bool = False
    guards: tuple[Any, ...] = ()
    resolver: "ParameterResolver | None" = None
    declared_input: Any = _FROM_ANNOTATION
    declared_output: Any = _FROM_ANNOTATION
    input_type: type[BaseMessage] = field(default=BaseMessage)
    output_types: tuple[type[BaseMessage], ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        """Every action value that reaches this handler."""
        return message_actions(self.input_type)

    @property
    def is_stream(self) -> bool:
        """True where the answer is a stream: the method is an async generator."""
        return inspect.isasyncgenfunction(self.function)

    @property
    def can_be_cancelled(self) -> bool:
        """True where a client may cancel the handling."""
        return self.cancellable or self.is_stream

    def resolved(self, owner: type, support: HandlerSupport) -> "HandlerSpec":
        """Return the record with its types resolved, checked, in the name of the class that holds the method.

        Raises TypeError, or NameError while an annotation's name does not exist yet; each names class, method and
        cure.
        """
        where = f"{owner.__name__}.{self.method_name}()"
        self._check_function(where)
        try:
            return replace(
                self,
                input_type=self._input(where),
                output_types=self._outputs(where),
                guards=tuple(support.as_guard(guard, where) for guard in self.guards),
                resolver=support.parameter_resolver(self.function, self._extra_parameters(), where),
            )
        except NameError as error:
            raise unknown_name(where, error) from error

    def _check_function(self, where: str) -> None:
        if self.is_stream and self.kind == "event":
            raise TypeError(
                f"{where} yields, and an event handler returns one message: send the others by send_message()."
            )
        if not self.is_stream and not inspect.iscoroutinefunction(self.function):
            raise TypeError(f"{where} must be async: write 'async def {self.method_name}'.")

    def _extra_parameters(self) -> list[inspect.Parameter]:
        """Return what the handler asks for beside the message."""
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        parameters = list(inspect.signature(self.function).parameters.values())[2:]
        return [parameter for parameter in parameters if parameter.kind in named]

    def _input(self, where: str) -> type[BaseMessage]:
        declared = self.declared_input
        if declared is _FROM_ANNOTATION:
            declared = _annotation(self.function, _message_parameter(self.function))
        if not is_message_type(declared) or declared is BaseMessage:
            raise TypeError(
                f"Input type {_type_name(declared)} for {where} must be a BaseMessage subclass with an action of its "
                f"own: annotate its first parameter, or pass input_type=..."
            )
        message_type = cast(type[BaseMessage], declared)
        action = message_type.model_fields["action"]
        if get_origin(action.annotation) is not Literal:
            raise TypeError(
                f"{message_type.__name__}, the input of {where}, does not declare its action as a Literal: "
                "it is a base class, use a concrete message."
            )
        if action.is_required():
            first = message_actions(message_type)[0]
            raise TypeError(
                f"{message_type.__name__}, the input of {where}, has no default for 'action': "
                f'write action: Literal[...] = "{first}".'
            )
        return message_type

    def _outputs(self, where: str) -> tuple[type[BaseMessage], ...]:
        declared = self.declared_output
        if declared is _FROM_ANNOTATION:
            declared = self._item_type(_annotation(self.function, "return"), where)
        outputs = tuple(flatten_types(declared))
        for output in outputs:
            if not is_message_type(output) or output is BaseMessage:
                raise TypeError(
                    f"Output type {_type_name(output)} of {where} is not a message: return a BaseMessage subclass "
                    "(or a union of them, or None), or pass output_type=..."
                )
        return cast(tuple[type[BaseMessage], ...], outputs)

    def _item_type(self, annotation: Any, where: str) -> Any:
        """Return what a stream yields; the annotation itself for any other handler."""
        is_iterator = get_origin(annotation) in _ITERATORS
        if self.is_stream and is_iterator:
            return get_args(annotation)[0]
        if self.is_stream:
            raise TypeError(
                f"{where} yields: annotate what, write '-> AsyncIterator[...]', or pass output_type=..."
            )
        if is_iterator:
            raise TypeError(
                f"{where} is annotated to return an async iterator, and does not yield: write 'yield' in it."
            )
        return annotation


def declare(
    kind: HandlerKind,
    function: Callable[..., Any],
    *,
    action: str | None = None,
    input_type: type[BaseMessage] | None = None,
    output_type: OutputType = None,
    description: str | None = None,
    summary: str | None = None,
    tags: Sequence[str] | None = None,
    concurrent: bool = False,
    cancellable: bool = False,
    guards: Sequence[Any] = (),
) -> HandlerSpec:
    """Record what a decorator was told.

    Raises ValueError when there is neither a message parameter nor an `input_type`.
    """
    if input_type is None and _message_parameter(function) is None:
        raise ValueError(
            f"Must provide input type for {function.__qualname__}: give it a message parameter or pass input_type=..."
        )
    return HandlerSpec(
        kind=kind,
        function=function,
        action=action or function.__name__,
        method_name=function.__name__,
        description=description,
        summary=summary,
        tags=tuple(tags or ()),
        concurrent=concurrent,
        cancellable=cancellable,
        guards=tuple(guards),
        declared_input=_FROM_ANNOTATION if input_type is None else input_type,
        declared_output=_FROM_ANNOTATION if output_type is None else output_type,
    )


# Any: whatever a class has under a name.
def handler_of(value: Any) -> HandlerSpec | None:
    """Return what a decorator has recorded on a method."""
    handler = getattr(value, HANDLER_ATTRIBUTE, None)
    return handler if isinstance(handler, HandlerSpec) else None


def hidden_handler(value: Any) -> HandlerSpec | None:
    """Return the record of the handler that a wrapper calls without having taken over its attributes."""
    if isinstance(value, type) or not callable(value):
        return None
    cells = [cell for cell in getattr(value, "__closure__", None) or () if cell != _EMPTY_CELL]
    inner = [*getattr(value, "__dict__", {}).values(), *(cell.cell_contents for cell in cells)]
    inner.append(getattr(value, "__wrapped__", None))
    return next((handler for item in inner if (handler := handler_of(item)) is not None), None)


def flatten_types(declared: Any) -> Iterable[Any]:
    """Yield the single types of a type, union, list or tuple of types, without None."""
    if declared is None or declared is type(None) or declared is inspect.Parameter.empty:
        return
    if isinstance(declared, list | tuple):
        members: Sequence[Any] = cast("Sequence[Any]", declared)
    elif get_origin(declared) in (types.UnionType, Union):
        members = get_args(declared)
    else:
        yield declared
        return
    for member in members:
        yield from flatten_types(member)


def unknown_name(where: str, error: NameError) -> NameError:
    """Say what to do about an annotation whose name does not exist when the application runs."""
    return NameError(
        f"An annotation of {where} names {error.name!r}, which does not exist when the application runs: import it "
        "outside of 'if TYPE_CHECKING:', or define it in the module.",
        name=error.name,
    )


def _message_parameter(function: Callable[..., Any]) -> str | None:
    parameters = list(inspect.signature(function).parameters)
    return parameters[1] if len(parameters) > 1 else None


def _annotation(function: Callable[..., Any], name: str | None) -> Any:
    """Resolve one annotation only: others may name things that exist for type checkers alone."""
    if name is None:
        return inspect.Parameter.empty
    annotation = function.__annotations__.get(name, inspect.Parameter.empty)
    if not isinstance(annotation, str | ForwardRef):
        return annotation
    holder = types.SimpleNamespace(__annotations__={name: annotation})
    return typing.get_type_hints(holder, globalns=getattr(function, "__globals__", {}))[name]


# Any: whatever was written.
def is_message_type(candidate: Any) -> bool:
    """Tell whether a value is a class of messages."""
    return isinstance(candidate, type) and issubclass(candidate, BaseMessage)


def _type_name(candidate: Any) -> str:
    if candidate is inspect.Parameter.empty:
        return "(none)"
    return candidate.__name__ if isinstance(candidate, type) else repr(candidate)
