"""Who may import whom, and that dvc.yaml and eagle.config.stages say the same."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml

from eagle.config import Config
from eagle.config.stages import STAGES, Stage, all_instances
from tests.longest import LONGEST

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "eagle").rglob("*.py"))
ONLY_IN = {
    "mlflow": ("eagle/registry", "eagle/serving/model.py", "eagle/serving/spans.py"),
    "great_expectations": ("eagle/data/checks.py", "eagle/data/docs_view.py"),
    "typer": ("eagle/cli.py",),
    "faiss": ("eagle/latent/neighbours.py",),
    "ribs": ("eagle/methods/searches/archive.py",),
    "pyspark": ("eagle/latent/spark.py",),
    "prefect": (),
    "dvc": (),
    "flows": (),
    "tests": (),
    "ray": ("eagle/compute/ray_workers.py",),
    "pickle": (),
    "joblib": (),
}
DISTRIBUTIONS = {
    "yaml": "PyYAML",
    "great_expectations": "great-expectations",
    "sklearn": "scikit-learn",
    "faiss": "faiss-cpu",
}


def _imports(path: Path, *, top_level: bool = False, types: bool = True) -> set[str]:
    """Dotted names of all imported modules; with ``top_level`` only what importing the file imports; without
    ``types`` none that only type checkers read.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(tree.body if top_level else ast.walk(tree))
    if not types:
        unread = {id(inner) for node in nodes if _for_types(node) for inner in ast.walk(node)}
        nodes = [node for node in nodes if id(node) not in unread]
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_only_its_room_imports_a_tool() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in MODULES
        for name in _imports(path)
        for tool, rooms in ONLY_IN.items()
        if name.split(".")[0] == tool and not path.relative_to(ROOT).as_posix().startswith(rooms or ("-",))
    ]
    assert wrong == []


def test_light_modules_import_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "peft", "matplotlib", "pandas", "mlflow", "pydantic"}
    light = [
        ROOT / "eagle" / name
        for name in ("__init__.py", "cli.py", "core/__init__.py", "core/errors.py", "core/telemetry.py")
    ]
    assert {name.split(".")[0] for path in light for name in _imports(path, top_level=True)} & heavy == set()


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {name.lower().replace("_", "-") for names in lists for entry in names for name in [_name_of(entry)]}
    used = (
        {name.split(".")[0] for path in MODULES for name in _imports(path)} - set(sys.stdlib_module_names) - {"eagle"}
    )
    assert {DISTRIBUTIONS.get(name, name).lower().replace("_", "-") for name in used} - declared == set()


def _name_of(requirement: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else " " for c in requirement).split()[0]


def test_the_lock_holds_names_and_versions_only() -> None:
    lines = [
        line
        for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert lines
    assert [line for line in lines if line.count("==") != 1 or any(sign in line for sign in (" ", "/", "+", ";"))] == []


# floors and circles
# ----------------------------------------------------------------------------------------------------------------------
FLOORS = (
    ("core", "built_in"),
    ("config",),
    ("compute", "stats"),
    ("data",),
    ("domains",),
    ("latent", "engine"),
    ("environment",),
    ("quality",),
    ("profiles", "actions"),
    ("policies",),
    ("training",),
    ("methods", "adapting"),
    ("evaluation",),
    ("gaps",),
    ("report", "serving"),
    ("registry",),
    ("plan",),
    ("testing",),
    ("cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _arrows() -> frozenset[tuple[str, str]]:
    """All imports of eagle by eagle as (importing module, imported module), wherever in a file they stand.

    ``from package import module`` is an import of the module.
    """
    modules = {_module(path) for path in MODULES} - {"eagle"}
    found: set[tuple[str, str]] = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                full = {f"{node.module}.{alias.name}" for alias in node.names}
                named = {name if name in modules else node.module for name in full}
            else:
                continue
            found |= {(_module(path), name) for name in named & modules}
    return frozenset(found)


def _room(module: str) -> str:
    return module.split(".")[1]


def _circles(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Pairs (sorted) of nodes that reach each other along the arrows."""
    below: dict[str, set[str]] = {}
    for start, end in arrows:
        below.setdefault(start, set()).add(end)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for end in below.get(waiting.pop(), set()) - seen:
                seen.add(end)
                waiting.append(end)
        return seen

    reach = {start: reached(start) for start in below}
    return {(a, b) for a in reach for b in reach[a] if a < b and a in reach.get(b, set())}


def test_every_room_has_a_floor() -> None:
    rooms = {_room(_module(path)) for path in MODULES if _module(path) != "eagle"}
    assert rooms - FLOOR.keys() == set()


def test_imports_go_downwards_only() -> None:
    upward = {(start, end) for start, end in _arrows() if FLOOR[_room(end)] > FLOOR[_room(start)]}
    assert upward == set()


def test_no_two_rooms_reach_each_other() -> None:
    """Also rooms of one floor may import each other in one direction only."""
    rooms = {(_room(start), _room(end)) for start, end in _arrows() if _room(start) != _room(end)}
    assert _circles(rooms) == set()


def test_no_two_modules_reach_each_other() -> None:
    assert _circles(set(_arrows())) == set()


def test_a_class_name_means_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(_module(path))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


# files
# ----------------------------------------------------------------------------------------------------------------------
def _sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_only_the_project_joins_its_paths() -> None:
    joined = re.compile(r"\bproject(\.[a-z_]+(\([^()]*\))?)* / [\"'f]")
    wrong = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in _sources("eagle", "flows", "benchmarks")
        if path != ROOT / "eagle/core/project.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if joined.search(line)
    ]
    assert wrong == []


def test_every_schema_is_read_in_one_place() -> None:
    read: dict[str, list[str]] = {}
    for path in MODULES:
        for schema in re.findall(r"read_(?:table|arrays)\([^\n]*?, \"([a-z_]+)\"\)", path.read_text(encoding="utf-8")):
            read.setdefault(schema, []).append(_module(path))
    assert "descriptions" in read
    assert {schema: places for schema, places in read.items() if len(places) > 1} == {}


# tests
# ----------------------------------------------------------------------------------------------------------------------
FOREIGN = {"_protected_args", "_app", "_fields"}  # of click, prefect and named tuples, which offer no other way


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in FOREIGN


def _privates(path: Path) -> set[str]:
    """What a test takes from a module or object that is not its own, by a name that begins with an underscore."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of_self = isinstance(node.value, ast.Name) and node.value.id == "self" and node.attr in own
            found |= {node.attr} if _is_private(node.attr) and not of_self else set()
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names if _is_private(alias.name)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setattr":
            named = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            found |= {name for name in named if _is_private(name.split(".")[-1])}
    return found


def test_the_longest_files_of_tests_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []


def test_tests_reach_into_no_privates() -> None:
    found = {path.relative_to(ROOT).as_posix(): _privates(path) for path in _sources("tests")}
    assert {path: names for path, names in found.items() if names} == {}


# dvc.yaml
# ----------------------------------------------------------------------------------------------------------------------
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def _body(name: str) -> dict:
    return DVC[name].get("do", DVC[name])


def _listed(part: str | dict[str, list[str]]) -> list[str]:
    """Parameter names of one entry under params: a name, or a file with the names in it."""
    return [part] if isinstance(part, str) else [name for names in part.values() for name in names]


def test_dvc_knows_exactly_the_stages() -> None:
    assert list(DVC) == [stage.name for stage in STAGES]
    assert {name: entry.get("foreach") for name, entry in DVC.items()} == {
        s.name: f"${{{s.each}}}" if s.each else None for s in STAGES
    }


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_names_its_command_its_params_and_its_costs(stage: Stage) -> None:
    full = f"{stage.name}@${{item}}" if stage.each else stage.name
    body = _body(stage.name)
    assert body["cmd"] == f"eagle stage {full}"
    assert [name for part in body["params"] for name in _listed(part)] == stage.dvc_params()
    assert f"reports/costs/{full}.json" in body["outs"]


def test_instances_follow_the_parameters() -> None:
    names = all_instances(Config())
    assert len(names) == len(set(names))
    assert [n for n in names if n.startswith("reference@")] == [
        f"reference@{name}" for name in Config().reference.names
    ]
