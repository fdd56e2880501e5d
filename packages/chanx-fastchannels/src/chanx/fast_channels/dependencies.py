"""FastAPI's dependencies: on the parameters of handlers, and on the connection; needs the extra `fastapi`."""

import asyncio
import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Annotated, Any, ForwardRef, NoReturn, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket, WebSocketState
from typing_extensions import Format, get_annotations

from chanx.core.exceptions import MessageError
from chanx.type_defs import Scope
from chanx.utils.logging import logger

try:
    from fastapi import params
    from fastapi.dependencies.utils import get_dependant, solve_dependencies
    from fastapi.exceptions import FastAPIError
except ImportError as _error:
    raise ImportError('Dependencies need: pip install "chanx-fastchannels[fastapi]"') from _error

__all__ = [
    "Dependencies",
    "Handshake",
    "Provision",
    "for_connection",
    "for_handler",
]

# FastAPI looks for these in the scope, and keeps there what it has to clean up.
_STACKS = ("fastapi_inner_astack", "fastapi_function_astack")
_ANALYSIS_ERRORS = (FastAPIError, AssertionError)
_UNPROCESSABLE = 422


class Handshake(Request, WebSocket):  # type: ignore[misc] # pyright: ignore[reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]
    """The handshake of a WebSocket, as dependencies see it: a Request and a WebSocket that can only be looked at.

    FastAPI's security classes ask for a Request, though they read headers, cookies and the query alone. Give them
    this in an authenticator: `await OAuth2PasswordBearer("token")(Handshake(scope))`.
    """

    def __init__(self, scope: Scope) -> None:
        HTTPConnection.__init__(self, {"method": "GET", **scope})
        self._receive = self._send = _out_of_reach
        self._stream_consumed = self._is_disconnected = False
        self._form = None
        self.client_state = self.application_state = WebSocketState.CONNECTING


class Dependencies:
    """What FastAPI provides for a list of parameters.

    `where` names their owner in errors. Raises TypeError for parameters that FastAPI cannot provide.
    """

    def __init__(self, parameters: Sequence[inspect.Parameter], where: str) -> None:
        self._signature = _Signature(parameters)
        # FastAPI tells a parameter of the path from one of the query by the path, which is known with the connection.
        self._analyses: dict[tuple[str, ...], Any] = {}
        try:
            self.analysis(())
        except _ANALYSIS_ERRORS as error:
            raise TypeError(f"FastAPI cannot provide the parameters of {where}: {error}") from error

    def analysis(self, path_parameters: Iterable[str]) -> Any:
        """Return FastAPI's own record of the parameters, at a path with these."""
        names = tuple(sorted(path_parameters))
        if names not in self._analyses:
            path = "".join(f"/{{{name}}}" for name in names)
            self._analyses[names] = get_dependant(path=path, call=self._signature)
        return self._analyses[names]

    @asynccontextmanager
    async def resolved(self, scope: Scope) -> AsyncGenerator[dict[str, Any]]:
        """Give the values by name, and clean up behind them.

        Raises what a dependency raises, and MessageError for a handshake that lacks something.
        `dependency_overrides` of the innermost application are obeyed.
        """
        async with AsyncExitStack() as stack, AsyncExitStack() as inner:
            stacks = dict(zip(_STACKS, (stack, inner), strict=True))
            yield await self._solve(Handshake({**scope, **stacks}), stack)

    async def _solve(self, handshake: Handshake, stack: AsyncExitStack) -> dict[str, Any]:
        app = handshake.scope.get("app")
        analysis = self.analysis(handshake.path_params)
        solved = await solve_dependencies(
            request=handshake,
            dependant=analysis,
            dependency_overrides_provider=app if hasattr(app, "dependency_overrides") else None,
            async_exit_stack=stack,
            embed_body_fields=False,
        )
        if solved.errors:
            raise MessageError("connection_invalid", _missing(solved.errors), status=_UNPROCESSABLE)
        if analysis.websocket_param_name:  # left out where a Request is asked for as well
            solved.values[analysis.websocket_param_name] = handshake
        return solved.values

    # Any: the consumer, which belongs to the module that imports this one.
    @asynccontextmanager
    async def for_message(self, consumer: Any, message: object) -> AsyncGenerator[dict[str, Any]]:
        """Give the values for one message, as `resolved()` does."""
        async with self.resolved(consumer.scope) as values:
            yield values


class Provision:
    """The values of a connection's dependencies, kept by a task of their own from `begin()` to `end()`.

    FastAPI has to clean up in the task that resolved, and a connection is opened and ended by two.
    """

    def __init__(self, dependencies: Dependencies, scope: Scope) -> None:
        self._values: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._keep(dependencies.resolved(scope)))

    async def begin(self) -> dict[str, Any]:
        """Return the values by name; raises what `resolved()` raises."""
        return await asyncio.shield(self._values)

    async def end(self) -> None:
        """Clean up; what goes wrong with that is logged."""
        self._over.set()
        if not self._values.done():
            self._task.cancel()
        await asyncio.wait([self._task])

    async def _keep(self, resolved: AbstractAsyncContextManager[dict[str, Any]]) -> None:
        try:
            async with resolved as values:
                self._values.set_result(values)
                await self._over.wait()
        except asyncio.CancelledError:
            self._values.cancel()
        except Exception as error:
            if self._values.done():
                logger.exception("Dependencies could not be cleaned up")
            else:
                self._values.set_exception(error)


class _Signature:
    """A callable of these parameters, for FastAPI to analyse; it is never called."""

    def __init__(self, parameters: Sequence[inspect.Parameter]) -> None:
        self.__signature__ = inspect.Signature(
            [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in parameters]
        )

    def __call__(self, **values: object) -> NoReturn:
        raise NotImplementedError


def for_handler(
    function: Callable[..., Any], parameters: Sequence[inspect.Parameter], where: str
) -> tuple[Dependencies | None, list[inspect.Parameter]]:
    """Tell apart the parameters of a handler that FastAPI provides, and the others."""
    names = getattr(inspect.unwrap(function), "__globals__", {})
    known = [_with_hint(parameter, names) for parameter in parameters]
    provided = [parameter for parameter in known if _is_provided(parameter, where)]
    others = [parameter for parameter in known if parameter not in provided]
    return Dependencies(provided, where) if provided else None, others


_known: WeakKeyDictionary[type, Dependencies | None] = WeakKeyDictionary()


def for_connection(consumer: type, dependencies: Sequence[Any]) -> Dependencies | None:
    """Find what a list, and the annotated attributes of a consumer class, ask for; looked up once for each class.

    Raises NameError while a name in an annotation does not exist yet.
    """
    if consumer not in _known:
        _known[consumer] = _of_class(consumer, dependencies)
    return _known[consumer]


def _of_class(consumer: type, dependencies: Sequence[Any]) -> Dependencies | None:
    found: dict[str, inspect.Parameter] = {}
    for base in reversed(consumer.__mro__):
        for parameter in _attributes(base):
            found.pop(parameter.name, None)
            if _asks_for_dependency(parameter):
                found[parameter.name] = parameter
    for number, dependency in enumerate(dependencies):
        name = f"dependency_{number}"
        found[name] = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=dependency)
    return Dependencies([*found.values()], consumer.__name__) if found else None


def _attributes(owner: type) -> Iterator[inspect.Parameter]:
    """Yield the annotated attributes of a class, as parameters."""
    names = vars(sys.modules[owner.__module__]) if owner.__module__ in sys.modules else {}
    for name, annotation in get_annotations(owner, format=Format.FORWARDREF).items():
        default = vars(owner).get(name, inspect.Parameter.empty)
        parameter = inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        try:
            yield _with_hint(parameter, names)
        except (NameError, TypeError):
            if "Depends" in repr(annotation) or isinstance(default, params.Depends):
                raise
            # A name that exists for type checkers alone, or ClassVar: none of ours.


def _asks_for_dependency(parameter: inspect.Parameter) -> bool:
    return any(isinstance(marker, params.Depends | params.Param) for marker in _markers(parameter))


def _is_provided(parameter: inspect.Parameter, where: str) -> bool:
    if any(isinstance(marker, params.Body) for marker in _markers(parameter)):
        raise TypeError(
            f"{parameter.name!r} of {where} reads the body of a request, and a message has none: "
            "take it from the message's payload."
        )
    annotation = parameter.annotation
    is_connection = inspect.isclass(annotation) and issubclass(annotation, HTTPConnection)
    return is_connection or _asks_for_dependency(parameter)


# Any: annotations and defaults are whatever was written.
def _markers(parameter: inspect.Parameter) -> list[Any]:
    if get_origin(parameter.annotation) is Annotated:
        return [parameter.default, *get_args(parameter.annotation)[1:]]
    return [parameter.default]


def _with_hint(parameter: inspect.Parameter, names: Mapping[str, Any]) -> inspect.Parameter:
    """Resolve the annotation of one parameter; NameError while a name does not exist yet."""
    if not isinstance(parameter.annotation, str | ForwardRef):
        return parameter
    holder = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    hints = get_type_hints(holder, globalns=dict(names), include_extras=True)
    return parameter.replace(annotation=hints[parameter.name])


def _missing(errors: Sequence[Any]) -> str:
    """Name what is wrong with the handshake: places that the server declared, and nothing that the client sent."""
    places = [" ".join(map(str, error["loc"][:2])) for error in errors]
    return f"The connection does not have what this needs: {', '.join(places)}"


async def _out_of_reach(*event: object) -> NoReturn:
    raise RuntimeError("A dependency cannot read from or write to the WebSocket of a consumer.")
