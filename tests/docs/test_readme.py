"""Every command, path, parameter and link of the README and of the pages under docs/ exists.

Which of them also run: tests/end_to_end, tests/flows, tests/registry.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.cli import parse_args

import flows  # noqa: F401  sets Prefect's surroundings before its command line is imported
from eagle.config import Config, parse_config
from eagle.config.stages import STAGES
from eagle.core import telemetry
from tests.docs.pages import README, ROOT, blocks, commands, every_page, links
from tests.test_architecture import FLOORS

TEXTS = {page: page.read_text(encoding="utf-8") for page in every_page()}


DVC: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
MADE = {"contributing.md"}  # pages that only the site has


def all_commands() -> list[list[str]]:
    """Every command of the pages once, and inline code of the README that starts like one."""
    inline = [
        shlex.split(code)
        for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", TEXTS[README])
        if " " in code and code.split()[0] in CHECKS
    ]
    found = [words for page in TEXTS for words in commands(page)] + inline
    return [list(words) for words in dict.fromkeys(map(tuple, found))]


def parameter(dotted: str) -> Any:
    value: Any = Config()
    for part in dotted.split("."):
        value = getattr(value, part)
    return value


def written(stage: dict[str, Any]) -> set[str]:
    """Paths that a stage of dvc.yaml writes; one with options is a mapping of its only key."""
    body = stage.get("do", stage)
    listed = [out for kind in ("outs", "metrics", "plots") for out in body.get(kind, [])]
    return {str(next(iter(out)) if isinstance(out, dict) else out) for out in listed}


def outputs() -> set[str]:
    """Everything that dvc.yaml says a run writes, and dvc.lock itself."""
    return {"dvc.lock"}.union(*map(written, DVC.values()))


# One check per command: it raises or exits where the command is not one.
def _click(command: Any, words: list[str]) -> None:
    """Parse as click does, without running anything; unknown commands, options and values are click's own errors."""
    with command.make_context(words[0], words[1:]) as context:
        rest = [*context._protected_args, *context.args]
        if hasattr(command, "resolve_command") and rest:
            name, sub, left = command.resolve_command(context, rest)
            _click(sub, [name, *left])


def _eagle(words: list[str]) -> None:
    from typer.main import get_command

    from eagle.cli import app

    _click(get_command(app), words)


def _mlflow(words: list[str]) -> None:
    from mlflow.cli import cli

    _click(cli, words)


def _dvc(words: list[str]) -> None:
    parsed = parse_args(words[1:])
    for setting in getattr(parsed, "set_param", None) or []:
        name, value = setting.split("=")
        section, field = name.split(".")
        assert parse_config({section: {field: yaml.safe_load(value)}}) != Config(), f"{setting} changes nothing"


def _prefect(words: list[str]) -> None:
    from prefect.cli._app import _app as app  # its public one runs what it parses

    words = words[2:] if words[1] == "--no-prompt" else words[1:]  # which its callback takes before a command
    app.parse_args(words, exit_on_error=False, print_error=False)


def _make(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for word in words[1:]:
        name, _, value = word.partition("=")
        assert word in targets or (
            (name == "SETTING" and (ROOT / "settings" / f"{value}.yaml").is_file())
            or (name == "ARGS" and _bench(shlex.split(value)))
        )


def _bench(words: list[str]) -> bool:
    from benchmarks.run import MODULES, names_of

    options = {"--only": set(names_of(MODULES)), "--clock": {"wall", "cpu"}, "--size": {"full", "tiny"}}
    return words[0] in options and set(words[1:]) <= options[words[0]]


def _git(words: list[str]) -> None:
    if words[1] == "add":
        assert set(words[2:]) <= outputs()
    else:
        assert words[1:3] == ["commit", "-m"] or words[1] in ("push", "clone")


def _open(words: list[str]) -> None:
    assert set(words[1:]) <= outputs()


def _export(words: list[str]) -> None:
    expected = {
        "MLFLOW_TRACKING_URI": parameter("registry.tracking_uri"),
        "PREFECT_API_URL": "http://127.0.0.1:4200/api",
        "PREFECT_HOME": "$PWD/.prefect",
        "DO_NOT_TRACK": telemetry.SETTINGS["DO_NOT_TRACK"],
        "COMPOSE_FILE": "deploy/compose.yaml",
    }
    for word in words[1:]:
        name, value = word.split("=", 1)
        assert value == expected[name]


def _curl(words: list[str]) -> None:
    from eagle.serving.model import SIGNATURE

    body = json.loads(words[words.index("-d") + 1])
    assert set(body) <= {"dataframe_records", "params"}
    assert all(set(row) == set(SIGNATURE.inputs.input_names()) for row in body["dataframe_records"])
    assert set(body.get("params", {})) <= {param.name for param in SIGNATURE.params}
    assert words[-1].startswith("http://127.0.0.1:") and words[-1].endswith("/invocations")


def _python(words: list[str]) -> None:
    assert words[1] == "-m"
    assert importlib.util.find_spec(words[2]) is not None


def _docker(words: list[str]) -> None:
    """Check the service and the program in it; Docker itself is not installed where tests run."""
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))["services"]
    assert words[1] == "compose" and words[2] in {"up", "stop", "exec", "run", "build"}
    named = [word for word in words[3:] if not word.startswith("-")]
    if words[2] not in ("exec", "run"):
        assert set(named) <= set(services)
        return
    assert named[0] in services
    inside = words[words.index(named[0]) + 1 :]
    inside = shlex.split(inside[2]) if inside[:2] == ["sh", "-c"] else inside
    CHECKS[inside[0]](inside)


def _postgres(words: list[str]) -> None:
    """Check the database that it is about; the server's programs need not be installed."""
    databases = (ROOT / "deploy/databases.sql").read_text(encoding="utf-8")
    words = [word for word in words if word not in "<>" and not word.startswith("backup/")]
    assert f"CREATE DATABASE {words[-1]};" in databases


def _copy(words: list[str]) -> None:
    assert (ROOT / words[1]).exists()


def _copy_folder(words: list[str]) -> None:
    assert set(words[-2:]) == {"$EAGLE_STATE/store/", "backup/store/"}


def _activate(words: list[str]) -> None:
    assert words[1:] == [".venv/bin/activate"]


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "eagle": _eagle,
    ".venv/bin/eagle": _eagle,
    "mlflow": _mlflow,
    "dvc": _dvc,
    "prefect": _prefect,
    "make": _make,
    "git": _git,
    "open": _open,
    "export": _export,
    "curl": _curl,
    "python": _python,
    ".": _activate,
    "docker": _docker,
    "pg_dump": _postgres,
    "pg_restore": _postgres,
    "cp": _copy,
    "rsync": _copy_folder,
}


@pytest.mark.filterwarnings(
    "ignore:.*Any type hint is inferred:UserWarning"
)  # MLflow's, of its own hints, when it is imported
@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_a_command_exists(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    CHECKS[words[0]](words)


@pytest.mark.parametrize(
    "line",
    [
        "eagle gapps",
        "eagle gaps --topp 5",
        "eagle steer --user 1",
        "mlflow uii",
        "mlflow ui --backend-store http://x",
        "dvc repro --forse",
        "dvc exp run -S train.kl=0.05",
        "prefect deploy --al",
        "prefect work-pool creat eagle",
        "make everything",
        'make bench ARGS="--only nothing"',
        "python -m eagle.nothing",
        "open reports/nothing.html",
        "git add nothing",
        "export MLFLOW_TRACKING_URI=sqlite:///other.db",
        """curl -d '{"dataframe_records": [{"who": "13"}]}' http://127.0.0.1:5001/invocations""",
        """curl -d '{"dataframe_records": [], "params": {"sed": 7}}' http://127.0.0.1:5001/invocations""",
        "wget something",
    ],
)
@pytest.mark.filterwarnings("ignore")  # the tools may warn on their way to the refusal
def test_a_command_that_does_not_exist_is_noticed(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    words = shlex.split(line)
    with pytest.raises(BaseException):  # noqa: B017, PT011  each tool has its own
        CHECKS[words[0]](words)


def test_the_request_goes_to_the_port_of_the_server() -> None:
    server = next(words for words in all_commands() if words[:3] == ["mlflow", "models", "serve"])
    request = next(words for words in all_commands() if words[0] == "curl")
    assert f":{server[server.index('--port') + 1]}/" in request[-1]


def test_the_catalogue_in_five_lines_is_legal() -> None:
    (text,) = blocks(README, "yaml")
    data = parse_config(yaml.safe_load(text)).data
    assert data.source == "files"
    assert data.files.columns.text is not None


def test_every_example_of_parameters_is_legal() -> None:
    found = [text for page in TEXTS for text in blocks(page, "yaml") if page.name != "extending.md"]
    assert len(found) > 2
    for text in found:
        assert parse_config(yaml.safe_load(text)) != Config(), f"changes nothing: {text}"


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_parameters_files_and_places_that_are_named_exist(page: Path) -> None:
    text = TEXTS[page]
    sections = "|".join(Config.model_fields)
    if page.name not in ("parameters.md", "metrics.md", "extending.md"):  # generated; names metrics; names variables
        for dotted in re.findall(rf"`((?:{sections})\.[a-z_.]+)`", text):
            if not dotted.endswith((".parquet", ".json")):  # a file
                parameter(dotted)
    assert [link for link in links(page) if not (page.parent / link).exists() and link not in MADE] == []
    for file, name in re.findall(r"`((?:eagle|flows|benchmarks|tests)/[a-z0-9_/]+\.py)(?::([A-Za-z_]+))?`", text):
        assert (ROOT / file).is_file(), file
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(?:def |class )?{name}\b", source, re.MULTILINE), f"{file} has no {name}"


def test_the_floors_are_those_that_the_tests_hold() -> None:
    table = re.findall(r"^\| (\d+) \| (.+?) \|", TEXTS[ROOT / "docs/architecture.md"], re.MULTILINE)
    rooms = [(int(floor), room) for floor, names in table for room in re.findall(r"`(\w+)`", names)]
    assert rooms == [(number, room) for number, floor in enumerate(FLOORS, 1) for room in floor]


def test_the_stages_are_those_of_the_code() -> None:
    page = TEXTS[ROOT / "docs/architecture.md"]
    rows = re.findall(r"^\| ([a-z]+)(@[A-Z]+)? \| ([a-z_]+\.[a-z_.]+) \| ([a-z_, ]+) \| .* \| (.*) \|$", page, re.M)
    every = ", ".join(Config.model_fields)
    assert [(name, f"eagle.{module}", sections.replace("all", every)) for name, _, module, sections, _ in rows] == [
        (stage.name, stage.module, ", ".join(stage.sections)) for stage in STAGES
    ]
    for name, instance, _, _, said in rows:
        made = {path.replace("${item}", instance[1:]) for path in written(DVC[name])}
        told = {path.rstrip("/") for path in re.findall(r"[\w./]+/[\w./]*", said)}
        assert told == {path for path in made if not path.startswith("reports/costs/")}, name


def test_the_public_commands_are_those_of_the_code() -> None:
    from eagle.cli import app

    (line,) = re.findall(r"^- the `eagle` command: (.*?)\. Exit", TEXTS[ROOT / "docs/architecture.md"], re.MULTILINE)
    assert re.findall(r"`(\w+)`", line) == [str(command.callback.__name__) for command in app.registered_commands]
