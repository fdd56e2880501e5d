"""The commands."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from difflib import unified_diff
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, get_args

import click

from chanx.asyncapi.cli._client import generate_client
from chanx.asyncapi.cli._doctor import diagnosis, layer_findings
from chanx.asyncapi.cli._targets import find_application, in_words, with_config
from chanx.asyncapi.diff import Change, compare_documents
from chanx.asyncapi.docs import static_site
from chanx.asyncapi.document import generate_document
from chanx.asyncapi.errors import InputError
from chanx.asyncapi.options import AsyncAPIVersion
from chanx.asyncapi.reading import read_document
from chanx.asyncapi.text import to_json_text, to_yaml_text
from chanx.asyncapi.validation import Problem, validate_document
from chanx.type_defs import JSONObject

__all__ = ["chanx"]

Command = Callable[..., Any]

_WRITERS = {"json": to_json_text, "yaml": to_yaml_text}
_FILE = click.Path(path_type=Path, allow_dash=False)


class _Group(click.Group):
    """Ends with one sentence and exit code 2 where what was given cannot be worked with."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            message = str(error)
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {message}", err=True)
        sys.exit(2)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("chanx-asyncapi"), prog_name="chanx")
def chanx() -> None:
    """Typed WebSocket APIs: documents, their checks, clients, and the state of the installation."""


chanx.add_command(generate_client)


@chanx.group()
def asyncapi() -> None:
    """AsyncAPI documents: write, check, compare and show them.

    Exit codes: 0 all is well; 1 something was found (drift, problems, breaking changes); 2 the command cannot work with
    what it was given.
    """


def _application_options(command: Command) -> Command:
    """Add what an application's document may say beyond its routes."""
    for option in reversed([
        click.option("--config", metavar="MODULE:NAME", help="An AsyncAPIConfig that wins over the application."),
        click.option("--server-url", metavar="URL", help="Where clients connect to, such as wss://api.example.com."),
        click.option(
            "--asyncapi-version",
            type=click.Choice(get_args(AsyncAPIVersion)),
            help="The version of the document's format.",
        ),
    ]):  # fmt: skip
        command = option(command)
    return command


@asyncapi.command()
@click.argument("app")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_WRITERS)),
    help="By default as the file's name ends.",
)
@click.option("--output", "-o", type=_FILE, help="Write to this file instead of the terminal.")
@click.option("--check", type=_FILE, help="Write nothing; fail if this file says something else.")
@_application_options
def export(
    app: str, form: str | None, output: Path | None, check: Path | None, **said: str | None
) -> None:
    """Write the document of APP.

    APP is module:app for an ASGI application (FastAPI, Starlette, Litestar, Channels), module:create_app() for a
    function that makes one, or a Django settings module.

    \b
    chanx asyncapi export shop.main:app --output asyncapi.json
    chanx asyncapi export shop.settings --check asyncapi.json
    """
    if check is not None and output is not None:
        raise click.UsageError("--check writes nothing, so it cannot be used with --output.")
    document = _document_of(app, **said)
    if check is not None:
        _fail_on_drift(check, document)
        return
    text = _WRITERS[form or _form_of(output)](document)
    if output is None:
        click.echo(text, nl=False)
        return
    _write(output, text.encode())
    click.echo(f"{output}: {_extent(document)}.", err=True)


@asyncapi.command()
@click.argument("app")
@click.option(
    "--output",
    "-o",
    type=_FILE,
    required=True,
    help="The folder; it is made where it does not exist.",
)
@_application_options
def html(app: str, output: Path, **said: str | None) -> None:
    """Write the documentation page of APP as files, for any web server.

    \b
    chanx asyncapi html shop.main:app --server-url wss://api.example.com --output public
    """
    document = _document_of(app, **said)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _refuse(f"Cannot write {output}: {error.strerror}.")
    for name, content in static_site(document).items():
        _write(output / name, content)
    click.echo(f"{output / 'index.html'}: {_extent(document)}.", err=True)


@asyncapi.command()
@click.argument("file", type=_FILE)
def validate(file: Path) -> None:
    """Check the document of FILE, JSON or YAML.

    Its structure is held against the specification's schema. Then come rules about what no schema can say: parameters
    that are not in the address, illegal keys, examples that contradict their schema, hosts with a scheme or a path,
    messages of other channels or of none.
    """
    document = read_document(file)
    problems = validate_document(document)
    for problem in problems:
        _show_problem(problem)
    if problems:
        click.echo(f"{file}: {_counted(len(problems), 'problem')}.", err=True)
        sys.exit(1)
    click.echo(f"{file}: valid AsyncAPI {document['asyncapi']}, {_extent(document)}.", err=True)


@asyncapi.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "any"]),
    default="breaking",
    show_default=True,
    help="Which changes end the command with 1.",
)
@click.option(
    "--allow",
    "allowed",
    metavar="RULE",
    multiple=True,
    help="Do not fail on changes of this rule; repeat.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def diff(old: Path, new: Path, fail_on: str, allowed: tuple[str, ...], form: str) -> None:
    """Compare two documents of one API, from the side of clients that know OLD.

    What clients write must not be accepted less than before, and what they read must not be more than they know:
    a new required field breaks towards the server, a removed field towards the client.
    """
    changes = compare_documents(read_document(old), read_document(new))
    failing = [c for c in changes if (c.breaking or fail_on == "any") and c.rule not in allowed]
    if form == "json":
        _show_changes_as_json(changes, failing)
    else:
        _show_changes(changes)
    sys.exit(1 if failing else 0)


@chanx.command()
@click.argument("app", required=False)
def doctor(app: str | None) -> None:
    """Look at the installation: packages, versions that fit each other, and what overwrites them.

    With APP, named as for `chanx asyncapi export`, also at the channel layers that its consumers find after its import.
    """
    findings = diagnosis()
    if app is not None:
        findings += layer_findings(find_application(app).routes)
    for finding in findings:
        mark = (
            click.style("ok", fg="green")
            if finding.is_fine
            else click.style("!!", fg="red", bold=True)
        )
        click.echo(f"{mark}  {finding.message}")
    sys.exit(0 if all(finding.is_fine for finding in findings) else 1)


def _document_of(
    app: str, *, config: str | None, server_url: str | None, asyncapi_version: str | None
) -> JSONObject:
    application = find_application(app)
    options = application.options if config is None else with_config(application.options, config)
    said = {"server_url": server_url, "asyncapi_version": asyncapi_version}
    given: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if not application.routes:
        click.echo(f"{click.style('Warning:', fg='yellow')} {app} serves no consumers.", err=True)
    try:
        return generate_document(application.routes, replace(options, **given))
    except (ImportError, NameError, TypeError) as error:  # a declaration of the application's
        raise InputError(f"Cannot document {app}: {in_words(error)}.") from error


def _fail_on_drift(path: Path, document: JSONObject) -> None:
    known = read_document(path)
    if known == document:
        click.echo(f"{path} is up to date.", err=True)
        return
    write = _WRITERS[_form_of(path)]
    lines = unified_diff(
        write(known).splitlines(),
        write(document).splitlines(),
        str(path),
        "the application",
        lineterm="",
    )
    for line in lines:
        click.secho(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[0]))
    click.echo(f"{path} is not what the application serves: export it again.", err=True)
    sys.exit(1)


def _form_of(path: Path | None) -> str:
    return "yaml" if path is not None and path.suffix in (".yaml", ".yml") else "json"


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        _refuse(f"Cannot write {path}: {error.strerror}.")


def _refuse(message: str) -> NoReturn:
    raise InputError(message)


def _show_problem(problem: Problem) -> None:
    place = click.style(problem.place or "/", bold=True)
    click.echo(f"{place}  {problem.message} {click.style(f'[{problem.rule}]', fg='yellow')}")


def _show_changes(changes: list[Change]) -> None:
    for change in sorted(changes, key=lambda change: not change.breaking):
        mark = click.style("breaking  ", fg="red", bold=True) if change.breaking else "compatible"
        place = click.style(change.place, dim=True)
        click.echo(
            f"{mark}  {change.message} {click.style(f'[{change.rule}]', fg='yellow')}\n            {place}"
        )
    breaking = sum(change.breaking for change in changes)
    summary = (
        f"{_counted(len(changes), 'change')}, {breaking} breaking"
        if changes
        else "Nothing has changed"
    )
    click.echo(f"{summary}.", err=True)


def _show_changes_as_json(changes: list[Change], failing: list[Change]) -> None:
    content = {"failed": bool(failing), "changes": [change.as_object() for change in changes]}
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _extent(document: JSONObject) -> str:
    channels, operations = document.get("channels", {}), document.get("operations", {})
    return f"{_counted(len(channels), 'channel')}, {_counted(len(operations), 'operation')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
