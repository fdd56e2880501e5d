"""The base of generated models."""

from typing import Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

__all__ = ["UNSET", "Model", "given"]

UNSET: Any = object()
"""The default of parameters that are left out. Any: it stands for a value of each type."""


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Return what was given."""
    return {name: value for name, value in values.items() if value is not UNSET}


class Model(BaseModel):
    """Optional fields that were not set are not sent: the server has its own defaults."""

    model_config = ConfigDict(populate_by_name=True, protected_namespaces=())

    @model_serializer(mode="wrap")
    def leave_out_unset(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the model without optional fields that were not set."""
        written: dict[str, Any] = write(self)
        if len(self.model_fields_set) == len(type(self).model_fields):
            return written  # the usual case, without a look at each
        for name, field in type(self).model_fields.items():
            if name not in self.model_fields_set and getattr(self, name) is None:
                written.pop(name, None)
                written.pop(field.serialization_alias or field.alias or name, None)
        return written
