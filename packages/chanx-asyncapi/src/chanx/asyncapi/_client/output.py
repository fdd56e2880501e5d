"""Writing generated files, without touching any other."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path, PurePosixPath

from chanx.asyncapi.errors import InputError

__all__ = ["Output", "WriteOptions"]

_MANIFEST = ".chanx-client.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """What may happen to files that are there already."""

    force: bool = False
    """Overwrite files that the generator did not write, or that were changed since."""
    clears: bool = False
    """Remove everything that was generated before, first."""
    clears_channels: bool = True
    """Remove files of channels that the document has no more."""
    overrides_base: bool = False
    """Overwrite the runtime in `base/` though it was changed."""


class Output:
    """A folder of generated files, with a list of them in `.chanx-client.json`.

    Files that are not in the list, or whose content is another by now, are the user's: they are never removed, and
    overwritten only on request.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = self._read_manifest()

    def write(self, files: Mapping[str, str], options: WriteOptions) -> list[str]:
        """Write the files and return notes about what was left alone. Raises InputError before anything is written."""
        for name in files:
            self._check_path(name)
        notes: list[str] = []
        kept = {name for name in files if self._keeps(name, files[name], options, notes)}
        stale = self._stale(files, options)
        try:
            for name in stale:
                self._remove(name)
            for name, text in files.items():
                if name not in kept:
                    self._write(name, text)
        except OSError as error:
            raise InputError(f"Cannot write {error.filename}: {error.strerror}.") from error
        remaining = {} if options.clears_channels or options.clears else self._known
        self._write_manifest({**remaining, **{name: _digest(text) for name, text in files.items()}})
        return notes

    def drift(self, files: Mapping[str, str]) -> list[str]:
        """Return the lines of a comparison with what is there; empty where it is the same."""
        lines: list[str] = []
        for name, text in files.items():
            path = self.folder / name
            there = path.read_text(encoding="utf-8") if path.is_file() else ""
            if not path.is_file():
                lines.append(f"--- {path} is missing")
            elif there != text:
                before, after = there.splitlines(), text.splitlines()
                lines += unified_diff(before, after, str(path), "the document", lineterm="")
        return [
            *lines,
            *(
                f"--- {self.folder / name} is left over"
                for name in self._stale(files, WriteOptions())
            ),
        ]

    def _keeps(self, name: str, text: str, options: WriteOptions, notes: list[str]) -> bool:
        path = self.folder / name
        if not path.exists() or options.force:
            return False
        there = path.read_bytes()
        if there == text.encode() or self._known.get(name) == hashlib.sha256(there).hexdigest():
            return False
        if name.startswith("base/"):
            if not options.overrides_base:
                notes.append(f"{path} was changed and is kept: --override-base replaces it.")
            return not options.overrides_base
        raise InputError(
            f"{path} is not as chanx generate-client wrote it: --force overwrites it, or choose another --output."
        )

    def _stale(self, files: Mapping[str, str], options: WriteOptions) -> list[str]:
        if not (options.clears or options.clears_channels):
            return []
        names = [name for name in self._known if name not in files or options.clears]
        return [name for name in names if self._is_untouched(name)]

    def _is_untouched(self, name: str) -> bool:
        path = self.folder / name
        if path.is_symlink() or not path.is_file() or not self._is_inside(name):
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() == self._known[name]

    def _remove(self, name: str) -> None:
        path = self.folder / name
        path.unlink()
        for folder in [parent for parent in path.parents if self.folder in parent.parents]:
            cache = folder / "__pycache__"
            if [*folder.iterdir()] == [cache]:
                for compiled in cache.glob("*.pyc"):
                    compiled.unlink()
                cache.rmdir()
            if any(folder.iterdir()):
                return
            folder.rmdir()

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def _check_path(self, name: str) -> None:
        if not self._is_inside(name) or (self.folder / name).is_symlink():
            raise InputError(f"{self.folder / name} is not a file of {self.folder}.")

    def _is_inside(self, name: str) -> bool:
        parts = PurePosixPath(name).parts
        inside = (self.folder / name).resolve().is_relative_to(self.folder.resolve())
        return inside and ".." not in parts and not PurePosixPath(name).is_absolute()

    def _read_manifest(self) -> dict[str, str]:
        try:
            content = json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
            return {str(name): str(digest) for name, digest in content["files"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"Cannot read {self.folder / _MANIFEST}: {error}.") from error

    def _write_manifest(self, digests: Mapping[str, str]) -> None:
        content = {"files": dict(sorted(digests.items()))}
        self._write(_MANIFEST, json.dumps(content, indent=2) + "\n")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
