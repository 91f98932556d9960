"""Which code decides a result: the modules that a module reaches through its imports, and a hash of what they say.

Read from the sources and not from what is loaded, so that it needs no imports and is the same in every process.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PLACE = re.compile(r"(eagle(?:\.\w+)+):(\w+)")
"""What opens a built-in part, as its table says it (`eagle.built_in`)."""
_OPENS = "load_part"
"""The function of `eagle.core.parts` that is given such a table and imports one of its parts."""
_PARAMETERS = "eagle.config"
"""A room whose own imports decide no result: values do, and dvc.yaml names them."""


def file_of(module: str, root: Path = ROOT) -> Path | None:
    """Return the file of a module or package by its dotted name; None where there is none below ``root``."""
    path = root.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


@cache
def imports(module: str, root: Path = ROOT) -> frozenset[str]:
    """Return the modules of eagle that a module imports, wherever in it the import stands.

    A name that a package's ``__init__`` passes on stands for that ``__init__`` and for the module that it comes from.
    The parts of a table (``eagle.module:Class``) count where the table is given to ``load_part``, not where names and
    labels are read off it. A neighbour that is named by its file (``model_code.py``) counts, imports for types only
    (``TYPE_CHECKING``) do not.
    """
    tree = _tree(module, root)
    found: set[str] = set()
    for source, name in (*_asked(tree), *_opened(tree, root)):
        found |= _origins(source, name, root)
    package = module if _is_package(module, root) else module.rpartition(".")[0]
    found |= {f"{package}.{name.removesuffix('.py')}" for name in _neighbours(module, root) if name.endswith(".py")}
    return frozenset(found - {module})


@cache
def read_beside(module: str, root: Path = ROOT) -> frozenset[Path]:
    """Return the files and folders beside a module that it names and that are no modules: a template, say."""
    folder = _path(module, root).parent
    return frozenset(folder / name for name in _neighbours(module, root) if not name.endswith(".py"))


@cache
def reached(module: str, root: Path = ROOT) -> frozenset[str]:
    """Return the modules of eagle that a module reaches through imports, itself included.

    The imports of ``eagle.config`` are not followed: it checks names of parts that it does not open.
    """
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting += [] if f"{here}.".startswith(f"{_PARAMETERS}.") else imports(here, root)
    return frozenset(seen)


def code_hash(modules: Iterable[str], root: Path = ROOT) -> str:
    """Return a hash of what modules say (16 characters), whatever their comments, docstrings and line breaks are."""
    digest = hashlib.sha256()
    for module in sorted(modules):
        digest.update(f"{module}\n{_said(_source(module, root))}\n".encode())
    return digest.hexdigest()[:16]


def _path(module: str, root: Path) -> Path:
    file = file_of(module, root)
    if file is None:
        raise ModuleNotFoundError(f"no module {module} under {root}")
    return file


@cache
def _tree(module: str, root: Path) -> ast.Module:
    return ast.parse(_source(module, root))


def _source(module: str, root: Path) -> str:
    return _path(module, root).read_text(encoding="utf-8")


@cache
def _said(source: str) -> str:
    """Return what a source says; kept, for every model that is opened asks for that of the same hundred modules."""
    return ast.dump(_without_docstrings(ast.parse(source)))


def _is_package(module: str, root: Path) -> bool:
    return _path(module, root).name == "__init__.py"


def _neighbours(module: str, root: Path) -> set[str]:
    """Return the names of files, and of folders of other things than modules, that the module's texts name."""
    texts = {node.value for node in ast.walk(_tree(module, root)) if isinstance(node, ast.Constant)} - {"__init__.py"}
    beside = _path(module, root).parent.iterdir()
    return {entry.name for entry in beside if entry.name in texts and (entry.is_file() or not any(entry.glob("*.py")))}


def _asked(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for everything of eagle that is imported; the name is empty for a module as a whole."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "eagle")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "eagle":
            yield from ((node.module, alias.name) for alias in node.names)
        skipped = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        waiting += node.orelse if isinstance(node, ast.If) and skipped else ast.iter_child_nodes(node)


def _opened(tree: ast.Module, root: Path) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for every part of the tables that are given to ``load_part``."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == _OPENS]
    given = {node.id for call in calls for node in ast.walk(call) if isinstance(node, ast.Name)} - {_OPENS}
    for table in {source for source, name in _asked(tree) if name in given}:
        texts = [node.value for node in ast.walk(_tree(table, root)) if isinstance(node, ast.Constant)]
        yield from ((place[1], place[2]) for text in texts if (place := _PLACE.fullmatch(str(text))))


def _origins(source: str, name: str, root: Path) -> set[str]:
    """Return the modules that ``from source import name`` needs."""
    file = file_of(source, root)
    if file is None:
        return set()
    if file.name != "__init__.py":
        return {source}
    if file_of(f"{source}.{name}", root):
        return {f"{source}.{name}"}
    if not name:
        return set()
    passed_on = [(module, inner) for module, inner in _asked(_tree(source, root)) if inner == name]
    return {source}.union(*(_origins(module, inner, root) for module, inner in passed_on))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Return the tree without texts that stand for themselves: docstrings, and those below a name."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [line for line in body if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))]
            node.body = kept  # type: ignore[attr-defined]
    return tree
