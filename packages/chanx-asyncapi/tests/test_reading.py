"""Documents from files that somebody else wrote."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chanx.asyncapi import generate_document, to_json_text, to_yaml_text
from chanx.asyncapi.errors import InputError
from chanx.asyncapi.reading import MAX_BYTES, document_of, read_document
from chanx.type_defs import JSONObject

from .torture import OPTIONS, ROUTES

BOMB = "asyncapi: 3.0.0\na: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)
)


@pytest.mark.parametrize("writer", [to_json_text, to_yaml_text], ids=["json", "yaml"])
def test_what_was_written_is_read(tmp_path: Path, writer: Callable[[JSONObject], str]) -> None:
    document = generate_document(ROUTES, OPTIONS)
    path = tmp_path / "document"
    path.write_text(writer(document), encoding="utf-8")

    assert read_document(path) == document


def test_yaml_is_read_as_json_would_say_it() -> None:
    text = "{asyncapi: 3.1.0, info: {version: 2026-01-31, x: *anchor}}".replace(
        "x: *anchor", "200: &ok [1], again: *ok"
    )
    read = document_of(text, "it")

    assert read["info"] == {"version": "2026-01-31", "200": [1], "again": [1]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds no object"),
        ("[1]", "holds no object"),
        ("just text", "holds no object"),
        ('{"asyncapi": "3.0.0", ', "neither JSON nor YAML"),
        ("a: [", "neither JSON nor YAML"),
        ("a: !!python/object:os.system {}", "neither JSON nor YAML"),
        ('{"asyncapi": "3.0.0", "a": NaN}', "NaN is no number"),
        ('{"asyncapi": "3.0.0", "a": [1e999]}', "inf is no number"),
        ("asyncapi: 3.0.0\na: [.nan]\n", "nan is no number"),
        ("asyncapi: 3.0.0\na: {b: -.inf}\n", "-inf is no number"),
        ('{"asyncapi": "3.0.0", "a": {"b": 1, "b": 2}}', "the key 'b' is there twice"),
        (
            "asyncapi: 3.0.0\na:\n  b: 1\n  b: 2\n",
            "the key 'b' is there twice in one object in line 4",
        ),
        ("asyncapi: 3.0.0\na: &a [*a]\n", "stands inside of what it stands for"),
        (BOMB, "its aliases written out"),
        ('{"asyncapi": "3.0.0", "a": ' + "[" * 500 + "]" * 500 + "}", "nested too deeply"),
        ('{"asyncapi": "3.0.0", "a": ' + "[" * 100_000 + "]" * 100_000 + "}", "deep|nest"),
        ("a: " + "[" * 100_000, "neither JSON nor YAML|nested too deeply"),
        ("openapi: 3.1.0", "is an OpenAPI document"),
        ("info: {}", "no 'asyncapi' key"),
        ("asyncapi: 2.6.0", r"is of AsyncAPI 2\.6\.0; 3\.0\.0 and 3\.1\.0 can be read"),
    ],
    ids=range(20),
)
def test_bad_text_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as raised:
        document_of(text, "the file")

    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("the file")


def test_bad_files_are_told_in_one_sentence(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    with pytest.raises(InputError, match=r"Cannot read .*missing: No such file"):
        read_document(tmp_path / "missing")
    with pytest.raises(InputError, match=r"Cannot read .*: Is a directory"):
        read_document(tmp_path)
    with pytest.raises(InputError, match="is not text in UTF-8"):
        read_document(binary)
    with pytest.raises(InputError, match="a document may have"):
        read_document(large)
