"""The licences that a wheel declares, against those of the files in it."""

from __future__ import annotations

import email
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

# How a bundled file names its licence.
NAMED = re.compile(r"/\*!.*?\b(MIT|ISC|Apache-2\.0|BSD-\d-Clause|MPL-2\.0)\b")


def licence_errors(wheel: Path) -> list[str]:
    """Return what the metadata of a wheel does not declare, or declares and does not have."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name).decode(errors="replace") for name in archive.namelist()}
    declared = declared_licences(files)
    texts = {text for name, text in files.items() if ".dist-info/licenses/" in name}
    shipped = {licence_of(text) for text in texts}
    errors = [*missing_texts(files, texts), *undeclared(files, declared)]
    if shipped != declared:
        errors.append(f"declares {sorted(declared)}, has the texts of {sorted(shipped)}")
    return [f"{wheel.name}: {error}" for error in errors]


def declared_licences(files: dict[str, str]) -> set[str]:
    (metadata,) = (text for name, text in files.items() if name.endswith(".dist-info/METADATA"))
    expression = email.message_from_string(metadata)["License-Expression"]
    return set(re.findall(r"[^\s()]+", expression)) - {"AND", "OR", "WITH"}


def missing_texts(files: dict[str, str], texts: set[str]) -> Iterator[str]:
    for name, text in files.items():
        if is_licence(name) and text not in texts:
            yield f"{name} is missing in license-files"


def undeclared(files: dict[str, str], declared: set[str]) -> Iterator[str]:
    for name, text in files.items():
        found = NAMED.search(text[:400])
        if found and found[1] not in declared:
            yield f"{name} is under {found[1]}, which `license` does not declare"


def is_licence(name: str) -> bool:
    """Tell whether a file of a wheel is a licence's text, by its name."""
    return Path(name).name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))


def licence_of(text: str) -> str:
    """Return the SPDX identifier of a licence's text."""
    marks = {
        "MIT": "Permission is hereby granted, free of charge",
        "Apache-2.0": "Apache License\n                           Version 2.0",
        "BSD-3-Clause": "Neither the name of",
    }
    found = [identifier for identifier, mark in marks.items() if mark in text]
    return found[0] if len(found) == 1 else "unknown"
