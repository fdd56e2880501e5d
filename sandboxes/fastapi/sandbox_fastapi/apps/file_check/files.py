"""The files of the installed packages. Both functions read the disk: call them in a thread."""

import hashlib
from base64 import urlsafe_b64encode
from importlib.metadata import PackagePath, distributions

__all__ = ["is_as_installed", "recorded_files"]


def recorded_files() -> list[PackagePath]:
    """Return the files for which a package has recorded a hash."""
    return [file for package in distributions() for file in package.files or () if file.hash]


def is_as_installed(file: PackagePath) -> bool:
    """Compare a file with its recorded hash; a missing file is not as installed."""
    assert file.hash is not None
    try:
        with open(file.locate(), "rb") as content:
            digest = hashlib.file_digest(content, file.hash.mode).digest()
    except OSError:
        return False
    return urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value
