"""The command `generate-client`."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import click

from chanx.asyncapi._client.model import ClientModel
from chanx.asyncapi._client.output import Output, WriteOptions
from chanx.asyncapi._client.reading import read_client
from chanx.asyncapi.cli._targets import find_application, in_words
from chanx.asyncapi.document import generate_document
from chanx.asyncapi.errors import InputError
from chanx.asyncapi.reading import MAX_BYTES, document_of, read_document
from chanx.type_defs import JSONObject

__all__ = ["generate_client"]

_APPLICATION = re.compile(r"[^\W\d][\w.]*(:[\w.]+(\(\))?)?")
_SUFFIXES = (".json", ".yaml", ".yml")
_FETCH_TIMEOUT = 30
_MANY_CHANNELS = 20
"""Fewer are done before anyone would look at a progress bar."""

Progress = Callable[[str], None]


def _python_files(
    model: ClientModel, *, formats: bool, readme: bool, progress: Progress
) -> dict[str, str]:
    from chanx.asyncapi._client.python.emitter import python_files

    return python_files(model, formats=formats, readme=readme, progress=progress)


def _typescript_files(
    model: ClientModel, *, formats: bool, readme: bool, progress: Progress
) -> dict[str, str]:
    from chanx.asyncapi._client.typescript import typescript_files

    return typescript_files(model)


_LANGUAGES = {"python": _python_files, "typescript": _typescript_files}


@click.command("generate-client")
@click.option(
    "--schema",
    "-s",
    required=True,
    help="A document: a file, a URL, or an application as module:app or a Django settings module.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder.",
)
@click.option(
    "--language", type=click.Choice(list(_LANGUAGES)), default="python", show_default=True
)
@click.option(
    "--force", "-f", is_flag=True, help="Overwrite files that were not generated, or were changed."
)
@click.option("--no-format", is_flag=True, help="Leave the models as they come.")
@click.option("--no-readme", is_flag=True, help="Write no README.md.")
@click.option(
    "--clear-output", is_flag=True, help="Remove all generated files first; other files stay."
)
@click.option(
    "--override-base", is_flag=True, help="Overwrite the runtime in base/ though it was changed."
)
@click.option("--no-clear-channels", is_flag=True, help="Keep the files of channels that are gone.")
@click.option(
    "--check", is_flag=True, help="Write nothing; fail if the files are not those of the document."
)
def generate_client(
    schema: str,
    output: Path,
    language: str,
    *,
    force: bool,
    no_format: bool,
    no_readme: bool,
    clear_output: bool,
    override_base: bool,
    no_clear_channels: bool,
    check: bool,
) -> None:
    """Write a typed client for the channels of a document.

    \b
    chanx generate-client -s asyncapi.json -o my_client
    chanx generate-client -s https://api.example.com/asyncapi.json -o my_client
    chanx generate-client -s shop.main:app -o my_client --check
    chanx generate-client -s shop.main:app -o src/api --language typescript
    """
    model = read_client(_document(schema))
    if not model.channels:
        click.echo(f"{click.style('Warning:', fg='yellow')} {schema} has no channels.", err=True)
    progress = _progress(len(model.channels))
    make = _LANGUAGES[language]
    files = make(model, formats=not no_format, readme=not no_readme, progress=progress)
    target = Output(output)
    if check:
        _fail_on_drift(target, files, output)
        return
    options = WriteOptions(
        force=force,
        clears=clear_output,
        clears_channels=not no_clear_channels,
        overrides_base=override_base,
    )
    for note in target.write(files, options):
        click.echo(f"{click.style('Note:', fg='yellow')} {note}", err=True)
    click.echo(f"{output}: {len(files)} files for {_counted(model)}.", err=True)


def _document(schema: str) -> JSONObject:
    if schema.startswith(("http://", "https://")):
        return document_of(_fetched(schema), schema)
    if Path(schema).is_file() or not _APPLICATION.fullmatch(schema) or schema.endswith(_SUFFIXES):
        return read_document(Path(schema))
    application = find_application(schema)
    try:
        return generate_document(application.routes, application.options)
    except (ImportError, NameError, TypeError) as error:  # a declaration of the application's
        raise InputError(f"Cannot document {schema}: {in_words(error)}.") from error


def _fetched(url: str) -> str:
    request = Request(url, headers={"Accept": "application/json, application/yaml"})
    try:
        with urlopen(request, timeout=_FETCH_TIMEOUT) as response:
            content: bytes = response.read(MAX_BYTES + 1)
    except (URLError, OSError, ValueError) as error:
        raise InputError(f"Cannot fetch {url}: {in_words(error)}.") from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{url} is larger than {MAX_BYTES} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{url} is not text in UTF-8.") from error


def _progress(channels: int) -> Progress:
    """Show the steps of a large document on a terminal."""
    if channels < _MANY_CHANNELS:
        return lambda step: None
    done = -1

    def show(step: str) -> None:
        nonlocal done
        done += 1
        click.echo(f"[{done}/{channels}] {step}", err=True)

    return show


def _fail_on_drift(target: Output, files: dict[str, str], output: Path) -> None:
    lines = target.drift(files)
    if not lines:
        click.echo(f"{output} is up to date.", err=True)
        return
    for line in lines:
        click.secho(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[0]))
    click.echo(f"{output} is not what the document says: generate it again.", err=True)
    sys.exit(1)


def _counted(model: ClientModel) -> str:
    number = len(model.channels)
    return f"{number} channel" if number == 1 else f"{number} channels"
