"""Models of a document's schemas, written by datamodel-code-generator."""

import ast
import gc
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chanx.asyncapi._client.model import Channel, ClientModel, Message
from chanx.asyncapi._client.python.names import RESERVED_CLASSES, Identifiers, class_name
from chanx.asyncapi.draft7 import map_schemas
from chanx.asyncapi.errors import InputError
from chanx.asyncapi.shapes import is_object
from chanx.type_defs import JSONObject

__all__ = ["Field", "Models", "write_models"]

_REFERENCE = "#/components/schemas/"
_ROOT = "ChanxRoot"
_BASE = "chanx_client_base"
_CALLS = frozenset({"Field", "ConfigDict", "model_rebuild", "TypeAliasType"})
_STATEMENTS = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.Expr)
_LEFT_OUT = ("title", "examples", "default")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model."""

    name: str
    wire_name: str
    annotation: ast.expr
    is_required: bool


@dataclass(frozen=True, slots=True)
class Models:
    """The module of all models, and what it defines."""

    text: str
    names: dict[str, str]
    """Classes by the names of their schemas."""
    fields: dict[str, list[Field]]
    """Fields by classes; root models have none."""
    imports: dict[str, tuple[str, str]]
    """Module and own name of each imported name."""

    def references(self, name: str) -> list[str]:
        """Return the classes that a class needs, itself first."""
        found, waiting = [name], [name]
        while waiting:
            for other in self._direct.get(waiting.pop(), ()):
                if other not in found:
                    found.append(other)
                    waiting.append(other)
        return found

    _direct: dict[str, list[str]]


def write_models(model: ClientModel, *, formats: bool) -> Models:
    """Write a module with a class for each schema. Raises InputError, naming the schema that cannot be written."""
    scope = Identifiers(RESERVED_CLASSES)
    names = {name: scope.take(class_name(name)) for name in model.schemas}
    definitions = {
        names[name]: _prepared(schema, names, top=True) for name, schema in model.schemas.items()
    }
    text = _generated(definitions, formats=formats)
    tree = _checked(text)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    messages = {one.schema_name for channel in model.channels for one in _messages(channel)}
    missing = next((name for name in messages if name and names[name] not in classes), None)
    if missing is not None:
        raise InputError(
            f"/components/schemas/{missing}: no model could be written of this schema."
        )
    return Models(
        text=_without_root(text, classes[_ROOT]),
        names=names,
        fields={name: _fields(node) for name, node in classes.items() if not _is_root(node)},
        imports={
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        },
        _direct={name: _named_classes(node, classes) for name, node in classes.items()},
    )


def _messages(channel: Channel) -> Iterator[Message]:
    for part in (channel, *channel.topics):
        yield from (*part.sent, *part.received)


# Any: a schema, which may be true or false.
def _prepared(schema: Any, names: dict[str, str], *, top: bool = False) -> Any:
    """Leave out what only says something to readers, and defaults, which are the server's to apply."""
    if not is_object(schema):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _LEFT_OUT}
    if schema.get("default") is not None and not top:
        written = f"Default: {json.dumps(schema['default'], ensure_ascii=False)}."
        kept["description"] = f"{kept.get('description', '')} {written}".strip()
    if "description" in kept:
        kept["description"] = _one_line(str(kept["description"]), keeps_lines=top)
    reference = kept.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_REFERENCE).replace("~1", "/").replace("~0", "~")
        if name not in names:
            raise InputError(
                f"The schema reference {reference!r} is not one to components/schemas."
            )
        kept["$ref"] = f"#/definitions/{names[name]}"
    if isinstance(kept.get("discriminator"), str):
        del kept["discriminator"]  # the constants tell the members apart
    return map_schemas(kept, lambda inner: _prepared(inner, names))


def _one_line(text: str, *, keeps_lines: bool) -> str:
    lines = ["".join(c for c in line if c.isprintable()) for line in text.splitlines()]
    return ("\n" if keeps_lines else " ").join(lines).strip()


def _generated(definitions: dict[str, JSONObject], *, formats: bool) -> str:
    try:
        from datamodel_code_generator import InputFileType, LiteralType, PythonVersion, generate
        from datamodel_code_generator.enums import DataModelType
        from datamodel_code_generator.format import DatetimeClassType, Formatter
    except ImportError as error:
        raise InputError('Clients need an extra: pip install "chanx-asyncapi[client]".') from error
    root = {"title": _ROOT, "type": "object", "definitions": definitions}
    # It makes many objects and drops few: a sixth of its time would go to looking for garbage.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        written = generate(
            json.dumps(root),
            input_file_type=InputFileType.JsonSchema,
            output=None,
            output_model_type=DataModelType.PydanticV2BaseModel,
            target_python_version=PythonVersion.PY_311,
            formatters=[Formatter.BUILTIN] if formats else [],
            base_class=f"{_BASE}.Model",
            class_name=_ROOT,
            collapse_root_models=True,
            disable_timestamp=True,
            enum_field_as_literal=LiteralType.All,
            field_constraints=True,
            output_datetime_class=DatetimeClassType.Datetime,
            snake_case_field=True,
            strict_nullable=True,
            use_annotated=True,
            use_double_quotes=True,
            use_one_literal_as_default=True,
            use_schema_description=True,
            use_standard_collections=True,
            use_union_operator=True,
        )
    except Exception as error:  # of whatever the generator of models meets
        text = " ".join(str(error).split())
        raise InputError(f"The schemas cannot be written as models: {text}.") from error
    finally:
        if was_enabled:
            gc.enable()
    return _with_own_base(str(written))


def _with_own_base(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    at = lines.index(f"from {_BASE} import Model")
    last = max(i for i, line in enumerate(lines) if line.startswith(("from ", "import ")))
    lines.insert(last + 1, "\nfrom ..base import Model")
    del lines[at]
    return "\n".join(lines).strip() + "\n"


def _checked(text: str) -> ast.Module:
    """Parse the module, which is to hold nothing but imports and models whatever the document says."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InputError(f"The models of this document are no valid Python: {error}.") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            called = (
                function.attr
                if isinstance(function, ast.Attribute)
                else getattr(function, "id", "")
            )
            if called not in _CALLS:
                raise InputError(f"The models of this document would call {called!r}.")
    if not all(isinstance(node, _STATEMENTS) or _is_alias(node) for node in tree.body):
        raise InputError("The models of this document would hold other statements than classes.")
    return tree


def _is_alias(node: ast.stmt) -> bool:
    """Tell whether a statement names a type that holds itself."""
    is_call = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)
    return is_call and "TypeAliasType" in ast.dump(node)


def _without_root(text: str, root: ast.ClassDef) -> str:
    lines = text.splitlines()
    kept = [*lines[: root.lineno - 1], *lines[root.end_lineno :]]
    return "\n".join(kept).strip() + "\n"


def _is_root(node: ast.ClassDef) -> bool:
    return any("RootModel" in ast.dump(base) for base in node.bases)


def _fields(node: ast.ClassDef) -> list[Field]:
    return [
        Field(
            name=line.target.id,
            wire_name=_alias(line.annotation) or line.target.id,
            annotation=line.annotation,
            is_required=line.value is None,
        )
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    ]


def _alias(annotation: ast.expr) -> str | None:
    for node in ast.walk(annotation):
        if (
            isinstance(node, ast.keyword)
            and node.arg == "alias"
            and isinstance(node.value, ast.Constant)
        ):
            return str(node.value.value)
    return None


def _named_classes(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> list[str]:
    names = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    return [name for name in dict.fromkeys(names) if name in classes and name != node.name]
