"""Refuse to run beside the single package `chanx`, which owns the same import paths.

That package ships a regular `chanx/__init__.py`, so both cannot live in one environment: whichever was
installed last overwrites shared files. The `__init__.py` of every import root imports this module, which the other
package lacks, so it runs whatever is imported first.
"""

from importlib.metadata import PackageNotFoundError, version


def refuse_single_package() -> None:
    """Raise ImportError if the distribution named `chanx` is installed beside these packages."""
    try:
        found = version("chanx")
    except PackageNotFoundError:
        return
    raise ImportError(
        f"The single package 'chanx' {found} is installed together with chanx-core and overwrites its modules. "
        "Run: pip uninstall chanx && pip install --force-reinstall --no-deps chanx-core"
    )


refuse_single_package()
