"""The site. The pages are plain Markdown, to be read in the repository too: what only Sphinx knows is here."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
GENERATED = DOCS / "generated"
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
REPOSITORY = "https://github.com/huynguyengl99/chanx/blob/main/"
log = logging.getLogger(__name__)

project = "chanx"
author = "The chanx developers"
project_copyright = author
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["tests"]
default_role = "code"  # docstrings mark code with single backticks
# Jumps to a heading are links that are checked too.
myst_heading_anchors = 3
myst_enable_extensions = ["fieldlist"]
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
html_theme = "furo"
html_title = "chanx"
html_theme_options = {
    "source_repository": "https://github.com/huynguyengl99/chanx/",
    "source_branch": "main",
    "source_directory": "docs/",
}

# Settings for the modules that Django must be configured for, to be imported.
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "channels",
        "chanx.channels",
        "rest_framework",
    ],
    SECRET_KEY=os.environ.get("SECRET_KEY", "only to read docstrings"),
)
django.setup()


def below(folder: Path) -> str:
    """Return the page that lists a folder's pages, or a pattern for all of them."""
    page = "README" if (folder / "README.md").exists() else "*"
    return f"how-to/{folder.name}/{page}"


# The order of the sidebar: on the first page headings and what is below them, a pattern's pages by name.
GUIDES = [folder for folder in sorted(DOCS.glob("how-to/*")) if folder.is_dir()]
TREE = {
    "index": {
        "Start": ["installation", "tutorials/*"],
        "How to": ["how-to/*", *(below(folder) for folder in GUIDES), "migrating"],
        "Explanation": ["architecture", "delivery", "reliability", "limits", "performance"],
        "Reference": ["reference", "supported", "changelogs", "seeds"],
    },
    "reference": {"Packages": ["generated/reference-*"]},
    "changelogs": {"Packages": ["generated/changelog-*"]},
    **{
        f"how-to/{folder.name}/README": {folder.name: [f"how-to/{folder.name}/*"]}
        for folder in GUIDES
    },
}


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_generated_pages)
    app.connect("source-read", complete_page)


def write_generated_pages(app: Sphinx) -> None:
    """Write the reference and the changelog of each package where Sphinx looks for pages."""
    GENERATED.mkdir(exist_ok=True)
    for package in PACKAGES:
        modules = "\n\n".join(
            f"## `{module}`\n{automodule(module)}" for module in public_modules(package)
        )
        write_if_new(GENERATED / f"reference-{package}.md", f"# {package}\n\n{modules}\n")
        changes = (ROOT / "packages" / package / "CHANGELOG.md").read_text(encoding="utf-8")
        changes = re.sub(r"\A# .*", f"# Changes of {package}", changes)
        write_if_new(GENERATED / f"changelog-{package}.md", changes)


def write_if_new(path: Path, text: str) -> None:
    """Leave an unchanged page alone, so that only what has changed is built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def automodule(module: str) -> str:
    return f"\n```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n   :show-inheritance:\n```"


def public_modules(package: str) -> Iterator[str]:
    """Yield the modules with a list of public names; chanx.ext only repeats names of others."""
    source = ROOT / "packages" / package / "src"
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        private = any(part.startswith("_") for part in parts) or parts[1] == "ext"
        if not private and has_public_names(path):
            yield ".".join(parts)


def has_public_names(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    targets = [node.targets[0] for node in body if isinstance(node, ast.Assign)]
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def complete_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the pages below this one, and lead links that leave the site to the repository."""
    source[0] = re.sub(
        r"\]\(((?:(?:\.\./)+|tests/)[^)#\s]+)", lambda link: repository_link(page, link), source[0]
    )
    for caption, pages in TREE.get(page, {}).items():
        listed = "\n".join(f"/{page}" for page in pages)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{listed}\n```\n"


def repository_link(page: str, link: re.Match[str]) -> str:
    """Return the link to a file of the repository; one inside docs/ is left to Sphinx."""
    target = Path(os.path.normpath((DOCS / page).parent / link[1]))
    if target.is_relative_to(DOCS) and not target.is_relative_to(DOCS / "tests"):
        return link[0]
    if not target.exists():
        log.warning("no such file: %s", link[1], location=page)
    return f"]({REPOSITORY}{target.relative_to(ROOT)}"
