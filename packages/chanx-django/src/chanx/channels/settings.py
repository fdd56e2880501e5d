"""The `CHANX` setting of a Django project."""

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Literal, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, ConfigDict, InstanceOf, ValidationError
from pydantic_core import ErrorDetails

from chanx.core.limits import DEFAULT_LIMITS, Limits
from chanx.type_defs import JSONObject

__all__ = ["DEFAULTS", "ChanxSettings", "chanx_settings"]

# Who may see the AsyncAPI views: a callable of the request, async or not, permission classes of Django REST framework,
# or the dotted paths of either. Any: permission classes are also expressions of classes.
Access = Callable[[Any], bool | Awaitable[bool]] | str | list[Any] | tuple[Any, ...]


class ChanxSettings(BaseModel):
    """The settings, their types and defaults."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", strict=True, arbitrary_types_allowed=True
    )

    MESSAGE_ACTION_KEY: str = "action"
    SEND_COMPLETION: bool = False
    SEND_MESSAGE_IMMEDIATELY: bool = True
    SEND_AUTHENTICATION_MESSAGE: bool = True
    SEND_RESYNC_MESSAGE: bool = True
    SEND_HEARTBEAT: bool = False
    CAMELIZE: bool = False
    CAMELIZE_DICTS: bool = False
    LIMITS: InstanceOf[Limits] = DEFAULT_LIMITS  # older pydantic takes a dictionary for one
    LOG_WEBSOCKET_MESSAGE: bool = True
    LOG_IGNORED_ACTIONS: list[str] | tuple[str, ...] | set[str] | frozenset[str] = ["ping", "pong"]
    WEBSOCKET_BASE_URL: str | None = None
    ASYNCAPI_TITLE: str = "AsyncAPI Documentation"
    ASYNCAPI_DESCRIPTION: str | None = ""
    ASYNCAPI_VERSION: str = "1.0.0"
    ASYNCAPI_SERVER_URL: str | None = None
    ASYNCAPI_SERVER_PROTOCOL: str | None = None
    ASYNCAPI_SERVERS: dict[str, JSONObject] | None = None
    """AsyncAPI server objects by name, instead of the one of the address."""
    ASYNCAPI_SECURITY_SCHEMES: dict[str, JSONObject] | None = None
    """AsyncAPI security schemes by name, in addition to those of authenticators."""
    ASYNCAPI_SPEC_VERSION: Literal["3.0.0", "3.1.0"] = "3.0.0"
    ASYNCAPI_ACCESS: Access | None = None


DEFAULTS: Mapping[str, Any] = {
    name: field.default for name, field in ChanxSettings.model_fields.items()
}

_OWN_FILES = "the page of the document loads its scripts and styles from this server"
# Settings of the single package `chanx` that are ignored, and why.
_UNUSED: Mapping[str, str] = {
    "ASYNCAPI_DOCS_JS_URL": _OWN_FILES,
    "ASYNCAPI_DOCS_CSS_URL": _OWN_FILES,
    "ASYNCAPI_DOCS_JS_INTEGRITY": _OWN_FILES,
    "ASYNCAPI_DOCS_CSS_INTEGRITY": _OWN_FILES,
    "ASYNCAPI_CAMELIZE": "the document spells names as each consumer does, by CAMELIZE and CAMELIZE_DICTS",
}

# The same one each time, so that it is looked through once and not at every look at a setting.
_NOTHING: Mapping[str, Any] = {}


class _ProjectSettings:
    """The settings by attribute, read from the project's at each use, so that `override_settings` works.

    Raises ImproperlyConfigured at the first use of a dictionary with an unknown setting or an invalid value.
    """

    def __init__(self) -> None:
        self._accepted: object = None

    @property
    def user_settings(self) -> Mapping[str, Any]:
        """What the project sets."""
        given: object = getattr(settings, "CHANX", None) or _NOTHING
        if given is not self._accepted:
            if faults := settings_faults(given):
                raise ImproperlyConfigured(" ".join(faults))
            self._accepted = given
        return cast("Mapping[str, Any]", given)

    # Any: each setting has a type of its own.
    def __getattr__(self, name: str) -> Any:
        """Return what the project sets, else the default."""
        if name not in DEFAULTS:
            raise AttributeError(f"There is no CHANX setting {name!r}.{_hint(name)}")
        return self.user_settings.get(name, DEFAULTS[name])


# To type checkers it has the attributes of the model, whose values it looks up.
chanx_settings: ChanxSettings = cast(ChanxSettings, _ProjectSettings())


def settings_faults(given: object) -> list[str]:
    """Say what is wrong with the project's dictionary, a sentence or two for each setting."""
    try:
        ChanxSettings.model_validate(_used(given))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        # A setting of several types has an error for each of them.
        first = {detail["loc"][:1]: detail for detail in reversed(details)}
        return [_fault(detail, given) for detail in reversed(first.values())]
    return []


def unused_settings(given: object) -> list[str]:
    """Say which of the project's settings are ignored, and why."""
    names = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else ()
    return [f"CHANX[{name!r}] is ignored: {why}." for name, why in _UNUSED.items() if name in names]


def _used(given: object) -> object:
    if not isinstance(given, Mapping):
        return given
    items = cast("Mapping[str, Any]", given).items()
    return {name: value for name, value in items if name not in _UNUSED}


def _fault(detail: ErrorDetails, given: object) -> str:
    if not detail["loc"]:
        return f"The setting CHANX must be a dictionary, not {given!r}."
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        return f"There is no CHANX setting {name!r}.{_hint(name)}"
    value = cast("Mapping[str, object]", given)[name]
    return f"CHANX[{name!r}] is {value!r}. {detail['msg']}, like {DEFAULTS[name]!r}."


def _hint(name: str) -> str:
    close = get_close_matches(name.upper(), DEFAULTS)
    return f" Did you mean {close[0]!r}?" if close else f" There are {', '.join(DEFAULTS)}."
