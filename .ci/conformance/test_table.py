"""The table of the reference documents is true: whatever it claims as done has a test that exists."""

import ast
import importlib
import inspect
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_overloads, is_typeddict

import django
import pytest
import yaml
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import Format, get_annotations

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).with_name("table.yaml")
SUBJECTS = ROOT / "conformance" / "chanx_conformance"
# Its packages are found in the folder that a user starts it from.
FASTAPI_SANDBOX = ROOT / "sandboxes" / "fastapi"
REFERENCES = ["000", "001", "002", "003", "004"]


class Row(BaseModel):
    """One thing that a document says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    kind: Literal["name", "parameter", "default", "setting", "example", "statement"]
    what: str = Field(min_length=3)
    """An import path, or a sentence for an example or a statement."""
    parameters: tuple[str, ...] = ()
    default: Any = None
    """Stated where the key is there: `null` is a default too."""
    says: str = ""
    state: Literal["done", "untested"]
    test: tuple[str, ...] = ()
    why: str = ""
    """For a row without a test: why there is none."""

    @property
    def has_path(self) -> bool:
        return self.kind not in ("example", "statement")

    @property
    def has_default(self) -> bool:
        return "default" in self.model_fields_set


class Document(BaseModel):
    """One reference document."""

    model_config = ConfigDict(extra="forbid")

    number: str
    title: str = Field(min_length=1)
    rows: list[Row] = Field(min_length=1)


class Counts(BaseModel):
    """How many rows the table has. Written down, so that a change that removes one has to say so."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    done: int


class Table(BaseModel):
    """The whole of table.yaml."""

    model_config = ConfigDict(extra="forbid")

    counts: Counts
    documents: list[Document]


TABLE = Table.model_validate(yaml.safe_load(DATA.read_text(encoding="utf-8")))
ROWS = [row for document in TABLE.documents for row in document.rows]
DONE = [row for row in ROWS if row.state == "done"]


def each(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row.id for row in rows])


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything be imported that a row may name; the examples need the same of Django."""
    if not settings.configured:
        settings.configure(INSTALLED_APPS=["channels", "chanx.channels"], SECRET_KEY="example")
        django.setup()
    monkeypatch.setattr(sys, "path", [str(FASTAPI_SANDBOX), *sys.path])


# What is checked


def unmapped(row: Row) -> list[str]:
    """Return what is wrong with the tests of a row."""
    if row.state == "untested":
        return explained(row)
    if not row.test:
        return [f"{row.id} is claimed as done, and no test is named"]
    return [f"{row.id}: there is no test {test}" for test in row.test if not is_test(test)]


def explained(row: Row) -> list[str]:
    """Return what is wrong with the reason of a row without a test."""
    wrong = [f"{row.id} is untested and has a test: {test}" for test in row.test]
    return wrong if row.why.endswith(".") else [*wrong, f"{row.id}: no sentence says why not"]


def is_test(node_id: str) -> bool:
    file, _, name = node_id.partition("::")
    path = ROOT / file
    return path.is_file() and name in names_in(path)


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the tests of a file as pytest names them, those inherited from the conformance tests included."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names |= functions_in([node])
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            names |= {f"{node.name}::{name}" for name in methods_of(node)}
    return frozenset(names)


def methods_of(node: ast.ClassDef) -> set[str]:
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    inherited = (subjects().get(base, set()) for base in bases)
    return functions_in(node.body).union(*inherited)


@cache
def subjects() -> dict[str, set[str]]:
    """Return the conformance tests by their class."""
    bodies = [ast.parse(path.read_text(encoding="utf-8")).body for path in SUBJECTS.glob("*.py")]
    classes = [node for body in bodies for node in body if isinstance(node, ast.ClassDef)]
    return {node.name: functions_in(node.body) for node in classes}


def functions_in(body: list[ast.stmt]) -> set[str]:
    functions = (node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


# Any: whatever a path names.
def resolve(path: str) -> Any:
    """Return what an import path names; AttributeError or ModuleNotFoundError where nothing does."""
    found: Any = importlib.import_module(path.partition(".")[0])
    reached = found.__name__
    for name in path.split(".")[1:]:
        reached = f"{reached}.{name}"
        found = member(found, name, reached)
    return found


def member(owner: Any, name: str, path: str) -> Any:
    if isinstance(owner, ModuleType) and not hasattr(owner, name):
        return importlib.import_module(path)
    if not hasattr(owner, name) and is_declared(owner, name):
        return None  # an attribute that instances get
    return getattr(owner, name)


def is_declared(owner: Any, name: str) -> bool:
    classes = inspect.getmro(owner) if inspect.isclass(owner) else ()
    return any(name in get_annotations(base, format=Format.FORWARDREF) for base in classes)


def parameters_of(target: Any) -> dict[str, list[inspect.Parameter]]:
    """Return the parameters of a callable by name, once for each overload that has it."""
    if is_typeddict(target):
        keys = get_annotations(target, format=Format.FORWARDREF)
        return {key: [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY)] for key in keys}
    found: dict[str, list[inspect.Parameter]] = {}
    variants: list[Any] = [target]
    if inspect.isfunction(target):
        variants += get_overloads(target)
    for variant in variants:
        for parameter in inspect.signature(variant).parameters.values():
            found.setdefault(parameter.name, []).append(parameter)
    return found


def real_defaults(row: Row) -> list[Any]:
    """Return the defaults that the code has for what a row names."""
    if ".chanx_settings." in row.what:
        return [resolve("chanx.channels.settings.DEFAULTS")[row.what.rpartition(".")[2]]]
    target = resolve(row.what)
    if row.parameters:
        found = parameters_of(target)
        return [variant.default for name in row.parameters for variant in found.get(name, [])]
    return [target]


def is_among(stated: Any, real: list[Any]) -> bool:
    """Compare as a document writes them: a list stands for a tuple too, but 0 is not False."""
    return any(type(value) is type(stated) and value == stated for value in map(as_written, real))


def as_written(value: Any) -> Any:
    return [*value] if isinstance(value, tuple) else value


# The checks


@each(ROWS)
def test_a_row_has_its_test_if_and_only_if_it_is_done(row: Row) -> None:
    assert unmapped(row) == []


@each([row for row in DONE if row.has_path])
def test_a_path_leads_somewhere(row: Row) -> None:
    resolve(row.what)


@each([row for row in DONE if row.parameters])
def test_parameters_are_in_the_signature(row: Row) -> None:
    assert set(row.parameters) <= parameters_of(resolve(row.what)).keys()


@each([row for row in DONE if row.has_default])
def test_a_stated_default_is_the_real_one(row: Row) -> None:
    real = real_defaults(row)

    assert is_among(row.default, real), f"stated: {row.default!r}, real: {real!r}"


@each(ROWS)
def test_a_row_says_what_its_kind_asks_for(row: Row) -> None:
    is_sentence = " " in row.what
    assert is_sentence is not row.has_path
    assert bool(row.parameters) or row.kind != "parameter"
    assert row.has_default or row.kind != "default"


def test_ids_are_unique() -> None:
    ids = [row.id for row in ROWS]

    assert sorted(set(ids)) == sorted(ids)


def test_every_document_is_there() -> None:
    assert [document.number for document in TABLE.documents if document.number.isdigit()] == (
        REFERENCES
    )


def test_the_table_has_as_many_rows_as_it_says() -> None:
    assert Counts(rows=len(ROWS), done=len(DONE)) == TABLE.counts


# The checks find what they are for


def planted(**changes: Any) -> Row:
    row = {
        "id": "planted",
        "kind": "name",
        "what": "chanx.core.decorators.ws_handler",
        "state": "done",
        "test": [".ci/conformance/test_table.py::test_ids_are_unique"],
    }
    return Row.model_validate({**row, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"test": []},
        {"test": [".ci/conformance/test_table.py::test_nothing"]},
        {"test": ["docs/tests/test_nothing.py::test_ids_are_unique"]},
        {"test": [".ci/conformance/test_table.py::planted"]},
        {"test": ["packages/chanx-django/tests/test_suites.py::TestIntegration::test_nothing"]},
        {"state": "untested"},
        {"state": "untested", "test": []},
        {"state": "untested", "why": "It cannot be."},
    ],
)
def test_a_row_without_its_test_is_found(changes: dict[str, Any]) -> None:
    assert unmapped(planted()) == []
    assert unmapped(planted(state="untested", test=[], why="It cannot be.")) == []
    assert unmapped(planted(**changes))


def test_an_inherited_test_is_one() -> None:
    file = "packages/chanx-django/tests/test_conformance.py"

    assert is_test(f"{file}::TestAccess::test_origin")
    assert not is_test(f"{file}::test_origin")


@pytest.mark.parametrize("path", ["chanx.core.nothing", "chanx.core.decorators.nothing"])
def test_a_path_that_leads_nowhere_is_found(path: str) -> None:
    with pytest.raises((AttributeError, ModuleNotFoundError)):
        resolve(path)


def test_a_parameter_and_a_default_that_are_not_so_are_found() -> None:
    found = parameters_of(resolve("chanx.core.decorators.ws_handler"))

    assert "action" in found
    assert "topic" not in found
    assert is_among(None, real_defaults(planted(parameters=["action"])))
    assert not is_among(False, real_defaults(planted(parameters=["action"])))
    assert real_defaults(planted(parameters=["topic"])) == []
    assert not is_among(False, [0])
