"""The site. The pages are plain Markdown, to be read in the repository too: what only Sphinx knows is here."""

import ast
import importlib
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
GENERATED = DOCS / "generated"
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
CORE = tomllib.loads((ROOT / "packages" / "chanx-core" / "pyproject.toml").read_text("utf-8"))
REPOSITORY = CORE["project"].get("urls", {}).get("Repository")  # none before the first release
LINK = re.compile(r"\[([^\[\]]*)\]\(((?:(?:\.\./)+|tests/)[^)#\s]+)([^)]*)\)")
LONGEST_VALUE = 88  # characters of a constant's value
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
# References to our own names have to be right; those of others would need their inventories from the network, and type
# variables and private modules are nowhere described.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!chanx\.).*"),
    ("py:.*", r"chanx\.(.*\.)?(_\w+(\..*)?|[A-Z])"),
    ("py:class", r"chanx\.core\.limits\.Annotated"),  # autodoc's name for an annotated setting
]
html_theme = "furo"
html_title = "chanx"
html_static_path = ["static"]
html_css_files = ["site.css"]
if REPOSITORY:
    html_theme_options = {
        "source_repository": f"{REPOSITORY}/",
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

sys.path.insert(0, str(DOCS))
import consumer_reference  # noqa: E402 - it imports what has been configured above


def below(folder: Path) -> str:
    """Return the page that lists a folder's pages, or a pattern for all of them."""
    page = "README" if (folder / "README.md").exists() else "*"
    return f"how-to/{folder.name}/{page}"


# The order of the sidebar: on the first page headings and what is below them, a pattern's pages by name.
GUIDES = [folder for folder in sorted(DOCS.glob("how-to/*")) if folder.is_dir()]
TREE = {
    "index": {
        "Start": ["installation", "tutorials/*"],
        "How to": ["how-to/README", "how-to/*", *(below(folder) for folder in GUIDES), "migrating"],
        "Explanation": ["architecture", "delivery", "reliability", "limits", "performance"],
        "Reference": ["reference", "wire-protocol", "supported", "changelogs"],
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
    app.connect("env-check-consistency", warn_of_missing_names)


def write_generated_pages(app: Sphinx) -> None:
    """Write the reference and the changelog of each package where Sphinx looks for pages."""
    GENERATED.mkdir(exist_ok=True)
    for package in PACKAGES:
        modules = "\n\n".join(
            f"## `{module}`\n{automodule(module)}" for module in public_modules(package)
        )
        write_if_new(GENERATED / f"reference-{package}.md", f"# {package}\n\n{modules}\n")
        changes = (ROOT / "packages" / package / "CHANGELOG.md").read_text(encoding="utf-8")
        changes = re.sub(r"\A# .*", f"# Changes of {package}", changes) + unreleased(package)
        write_if_new(GENERATED / f"changelog-{package}.md", changes)


def write_if_new(path: Path, text: str) -> None:
    """Leave an unchanged page alone, so that only what has changed is built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def unreleased(package: str) -> str:
    """Return what the next release of a package will have, from its fragments."""
    kinds: dict[str, list[str]] = {}
    for path in sorted((ROOT / "packages" / package / "changelog.d").glob("*.md")):
        kind = path.name.split(".")[-2].capitalize()
        kinds.setdefault(kind, []).append(f"- {path.read_text(encoding='utf-8').strip()}\n")
    parts = [f"\n### {kind}\n\n{''.join(items)}" for kind, items in sorted(kinds.items())]
    return "".join(["\n## Not released yet\n", *parts]) if parts else ""


def automodule(module: str) -> str:
    """Return what makes autodoc describe a module, and its names that it would leave out."""
    if repeated := names_of_others(module):
        listed = ", ".join(f"{{py:obj}}`{name} <{home}.{name}>`" for name, home in repeated.items())
        return f"\n```{{eval-rst}}\n.. automodule:: {module}\n```\n\nOffers {listed}."
    lines = [f".. automodule:: {module}", "   :members:", "   :show-inheritance:"]
    grouped = ""
    home, _, name = consumer_reference.PATH.rpartition(".")
    if module == home:
        lines.append(f"   :exclude-members: {name}")
        grouped = f"\n\n{consumer_reference.consumer_reference()}"
    for name in importlib.import_module(module).__all__:
        lines += undocumented(module, name)
    listed = "\n".join(lines)
    return f"\n```{{eval-rst}}\n{listed}\n```{grouped}"


def names_of_others(module: str) -> dict[str, str]:
    """Return the names that a package imports on access, each with the module that describes it."""
    homes: dict[str, str] = getattr(importlib.import_module(module), "_MODULES", {})
    return homes


def undocumented(module: str, name: str) -> list[str]:
    """Return the lines for a name without a docstring: a constant, an alias, or what is imported late."""
    if name not in dir(sys.modules[module]):
        return [f".. autofunction:: {module}.{name}"]
    analyzer = ModuleAnalyzer.for_module(module)
    analyzer.analyze()
    value = value_of(module, name)
    if value is None or ("", name) in analyzer.attr_docs:
        return []
    shown = value if len(value) <= LONGEST_VALUE else "..."
    return ["", f".. py:data:: {name}", f"   :module: {module}", f"   :value: {shown}"]


def value_of(module: str, name: str) -> str | None:
    """Return what is assigned to a name, as it is written, in the module or where it has the name from."""
    for node in ast.parse(ModuleAnalyzer.for_module(module).code).body:
        if isinstance(node, ast.ImportFrom) and name in {item.name for item in node.names}:
            ours = node.module is not None and node.module.startswith("chanx.")
            return value_of(node.module or "", name) if ours else None
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if name in map(ast.unparse, targets):
                return ast.unparse(node.value)
    return None


def warn_of_missing_names(app: Sphinx, env: BuildEnvironment) -> None:
    """Find public names that the reference does not have."""
    known = env.domains.python_domain.objects
    for module in [module for package in PACKAGES for module in public_modules(package)]:
        for name in importlib.import_module(module).__all__:
            home = names_of_others(module).get(name, module)
            if f"{home}.{name}" not in known:
                log.warning("the reference has no %s.%s", module, name)
    for name in consumer_reference.names_without_group():
        log.warning("docs/consumer_reference.py and the consumer class differ in %s", name)


# Modules with the names of others, under the paths of the single package.
EARLIER_PATHS = {"chanx.core.testing"}


def public_modules(package: str) -> Iterator[str]:
    """Yield the modules with a list of public names; chanx.ext and EARLIER_PATHS only repeat names of others."""
    source = ROOT / "packages" / package / "src"
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        private = any(part.startswith("_") for part in parts) or parts[1] == "ext"
        module = ".".join(parts)
        has_names = "__all__" in path.read_text(encoding="utf-8")
        if not private and has_names and module not in EARLIER_PATHS:
            yield module


def complete_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the pages below this one, and lead links that leave the site to the repository, if it has an address."""
    source[0] = LINK.sub(lambda link: repository_link(page, link), source[0])
    for caption, pages in TREE.get(page, {}).items():
        listed = "\n".join(f"/{page}" for page in pages)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{listed}\n```\n"


def repository_link(page: str, link: re.Match[str]) -> str:
    """Return the link to a file of the repository, or its text alone; one inside docs/ is left to Sphinx."""
    text, path, anchor = link.groups()
    target = Path(os.path.normpath((DOCS / page).parent / path))
    if target.is_relative_to(DOCS) and not target.is_relative_to(DOCS / "tests"):
        return link[0]
    if not target.exists():
        log.warning("no such file: %s", path, location=page)
    if not REPOSITORY:
        return text
    return f"[{text}]({REPOSITORY}/blob/main/{target.relative_to(ROOT)}{anchor})"
