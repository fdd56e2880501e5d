"""Each wheel declares the licences of everything that is in it, and has their texts."""

import zipfile
from pathlib import Path

import pytest
from licences import licence_errors

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person"
BSD = "BSD 3-Clause License\n\nNeither the name of the copyright holder"

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_declares_its_licences(package: str, built: Path) -> None:
    (wheel,) = built.glob(f"{package.replace('-', '_')}-*.whl")

    assert licence_errors(wheel) == []


def test_the_wheel_with_vendored_files_has_the_texts(built: Path) -> None:
    (wheel,) = built.glob("chanx_asyncapi-*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert len([name for name in names if ".dist-info/licenses/" in name]) == 3


def write_wheel(place: Path, expression: str, files: dict[str, str]) -> Path:
    wheel = place / "some-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "some-1.0.dist-info/METADATA",
            f"Metadata-Version: 2.4\nName: some\nVersion: 1.0\nLicense-Expression: {expression}\n",
        )
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


OWN = {"some-1.0.dist-info/licenses/LICENSE": BSD}
VENDORED = {"some/LICENSE-other.txt": MIT, "some/other.js": "/*! other 1.0, MIT licence. */"}
DECLARED = {**OWN, **VENDORED, "some-1.0.dist-info/licenses/some/LICENSE-other.txt": MIT}


@pytest.mark.parametrize(
    ("expression", "files", "errors"),
    [
        ("BSD-3-Clause", OWN, []),
        ("BSD-3-Clause AND MIT", DECLARED, []),
        ("BSD-3-Clause", {**OWN, **VENDORED}, ["license-files", "is under MIT"]),
        ("BSD-3-Clause", DECLARED, ["is under MIT", "has the texts of"]),
        ("BSD-3-Clause AND MIT", {**OWN, **VENDORED}, ["license-files", "has the texts of"]),
        ("BSD-3-Clause AND MIT", OWN, ["has the texts of"]),
    ],
    ids=range(6),
)
def test_a_licence_that_is_not_declared_is_found(
    tmp_path: Path, expression: str, files: dict[str, str], errors: list[str]
) -> None:
    found = licence_errors(write_wheel(tmp_path, expression, files))

    assert len(found) == len(errors)
    assert all(error in line for error, line in zip(errors, found, strict=True))
