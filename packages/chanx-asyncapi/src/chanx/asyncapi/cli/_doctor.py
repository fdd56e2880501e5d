"""Whether what is installed fits together."""

import platform
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from importlib.util import find_spec
from typing import NamedTuple

from packaging.requirements import Requirement

from chanx.asyncapi.discovery import ENTRY_POINTS
from chanx.asyncapi.routes import ConsumerRoute

__all__ = ["Finding", "diagnosis", "layer_findings"]

# What each package gives to import.
PACKAGES = {
    "chanx-core": "chanx.core",
    "chanx-asyncapi": "chanx.asyncapi",
    "chanx-django": "chanx.channels",
    "chanx-fastchannels": "chanx.fast_channels",
    "chanx-testing": "chanx.testing",
}
_SINGLE = "chanx"  # another package that owns the same import paths


class Finding(NamedTuple):
    """One sentence, and whether it is a good one."""

    is_fine: bool
    message: str


def diagnosis() -> list[Finding]:
    """Look at the environment that the command runs in."""
    found = {name: dist for name in PACKAGES if (dist := _installed(name)) is not None}
    findings = [Finding(True, f"Python {platform.python_version()}")]
    findings += _single_package()
    for name, dist in found.items():
        findings += _package(name, dist)
    if not {"chanx-django", "chanx-fastchannels"} & found.keys():
        message = "No integration is installed: pip install chanx-fastchannels, or chanx-django"
        findings.append(Finding(False, message))
    return [*findings, *_integrations()]


def layer_findings(routes: Iterable[ConsumerRoute]) -> list[Finding]:
    """Say which channel layers the consumers of an application find, each layer once."""
    consumers = dict.fromkeys(route.consumer for route in routes)
    findings: list[Finding] = []
    for consumer in consumers:
        try:
            findings.append(Finding(True, consumer.spec.layer.summary()))
        except LookupError as error:
            findings.append(Finding(False, str(error)))
    return [*dict.fromkeys(findings)]


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _single_package() -> Iterator[Finding]:
    single = _installed(_SINGLE)
    if single is not None:
        yield Finding(
            False,
            f"The single package 'chanx' {single.version} overwrites modules of these packages. "
            "Run: pip uninstall chanx && pip install --force-reinstall --no-deps chanx-core",
        )
    stray = getattr(import_module("chanx"), "__file__", None)
    if stray is not None:
        yield Finding(
            False, f"{stray} turns the namespace 'chanx' into one package: delete that file."
        )


def _package(name: str, dist: Distribution) -> Iterator[Finding]:
    problems = [*_requirements(dist)]
    if find_spec(PACKAGES[name]) is None:
        problems.append(f"{PACKAGES[name]} cannot be found: pip install --force-reinstall {name}")
    yield Finding(not problems, f"{name} {dist.version}")
    for problem in problems:
        yield Finding(False, f"{name}: {problem}")


def _requirements(dist: Distribution) -> Iterator[str]:
    for requirement in map(Requirement, dist.requires or ()):
        other = _installed(requirement.name)
        if not _is_asked_for(requirement, is_installed=other is not None):
            continue
        if other is None:
            yield f'needs {requirement.name}, which is missing: pip install "{_plain(requirement)}"'
        elif not requirement.specifier.contains(other.version, prereleases=True):
            yield f'does not fit {requirement.name} {other.version}: pip install "{_plain(requirement)}"'


def _is_asked_for(requirement: Requirement, *, is_installed: bool) -> bool:
    """Tell whether a requirement counts: those of extras do where they name a sibling that is there."""
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        return True
    return is_installed and requirement.name in PACKAGES


def _plain(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _integrations() -> Iterator[Finding]:
    for entry_point in sorted(entry_points(group=ENTRY_POINTS), key=lambda item: item.name):
        try:
            entry_point.load()
        except Exception as error:
            yield Finding(False, f"Documents of {entry_point.name} cannot be made: {error}")
        else:
            yield Finding(True, f"Documents of {entry_point.name} can be made")
