"""A document as text."""

import json
from typing import Any

import yaml

from chanx.core import _guard as _guard
from chanx.type_defs import JSONObject

__all__ = ["to_json_text", "to_yaml_text"]

# The compiled writer where the platform's wheel has it.
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc] # either of two classes
    """Writes shared parts where they are used: readers of YAML anchors are rare."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write an anchor."""
        return True


def to_json_text(document: JSONObject) -> str:
    """Write a document as JSON, indented."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_yaml_text(document: JSONObject) -> str:
    """Write a document as YAML."""
    plain = json.loads(
        to_json_text(document)
    )  # subclasses of str and the like become what they are in JSON
    return yaml.dump(
        plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, indent=2, width=120
    )
