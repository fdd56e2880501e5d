"""What every integration of chanx must do, one module for each subject.

An integration's own tests fill in `chanx_conformance.suite.Suite`: its consumer base class, its communicator and its
channel layers. They put that class before the one of each subject, which makes the tests.
"""

from pkgutil import iter_modules

import pytest

# Before the subjects are imported, so that an `assert` that fails shows its values.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
