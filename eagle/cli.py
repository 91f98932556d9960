"""The ``eagle`` command: read the arguments, call the library, print.

Heavy modules are imported where they are used.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from eagle.compute.beside import let_threads_sleep
from eagle.core import telemetry
from eagle.core.errors import EagleError

USER_MISTAKE, INTERRUPTED = 2, 130
MOST = 10_000  # texts or trajectories of one command [O: hours of work; what is planned for them takes memory]


class Commands(TyperGroup):
    """Turns a user's mistake into one message and exit 2, and Ctrl-C into exit 130; all else stays a traceback and exit
    1.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EagleError as error:
            print(f"eagle: {error}", file=sys.stderr)
            sys.exit(USER_MISTAKE)
        except KeyboardInterrupt:
            print("eagle: stopped; finished stages are kept, the same command goes on from here", file=sys.stderr)
            sys.exit(INTERRUPTED)


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Steer a frozen language model into the content gaps of a catalogue.",
)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="a new folder, or one without a project")],
    ratings: Annotated[Path | None, typer.Option(help="the file of ratings")] = None,
    items: Annotated[Path | None, typer.Option(help="the file of items")] = None,
    texts: Annotated[Path | None, typer.Option(help="a file of the items' texts, if apart")] = None,
    noun: Annotated[str | None, typer.Option(help="what an item is called, such as book")] = None,
    encoding: Annotated[str | None, typer.Option(help="how the files are encoded, if not in UTF-8")] = None,
) -> None:
    """Make a project folder; with files, guess which columns hold what."""
    from eagle.config.starting import start_repository
    from eagle.data.beginning import begin

    for line in [*begin(folder, ratings, items, texts, noun, encoding), *start_repository(folder)]:
        print(line)
    print(f"next: look into {folder / 'params.yaml'}, then: cd {shlex.quote(str(folder))} && eagle check")


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="a stage of dvc.yaml, such as encoder or reference@uniform")],
) -> None:
    """Run one stage of the pipeline, whatever DVC thinks of its state."""
    from eagle.core.fork_client import run_there
    from eagle.core.parent import end_with_parent, name_pipeline

    end_with_parent()
    name_pipeline()
    code = run_there(["stage", name])
    if code is not None:
        raise typer.Exit(code)
    from eagle.config import load_config
    from eagle.config.intact import require_intact
    from eagle.config.stages import run_stage
    from eagle.config.takeover import prepare
    from eagle.core.project import Project
    from eagle.core.repository import read_locked
    from eagle.registry.live.stages import followed

    project = Project()
    config = load_config(project.params)
    locked = read_locked(project.dvc_lock)  # once: it has thousands of lines
    prepare(config, project, locked)
    with followed(name, config.registry, project):
        require_intact(name, config, project, locked)
        run_stage(name, config, project)


@app.command()
def steer(
    user: Annotated[str, typer.Option(help="id of a user of the catalogue")],
    item: Annotated[str, typer.Option(help="id of the item to start from")],
    agent: Annotated[
        str, typer.Option(help="'champion', a models:/ address, or a folder with an adapter")
    ] = "champion",
    budget: Annotated[
        int,
        typer.Option(min=0, max=MOST, help="texts to ask for, of which the best is kept; 0: one episode as it comes"),
    ] = 0,
    method: Annotated[str, typer.Option(help="who searches, such as search_random; see evaluate.budgets.methods")] = (
        "search_eagle"
    ),
    samples: Annotated[int, typer.Option(min=1, max=MOST, help="how many trajectories")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="seed of the trajectories")] = 0,
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show an agent at work: actions, texts, utilities, nearest items."""
    from eagle.core.project import Project
    from eagle.registry.addresses import open_steerer
    from eagle.serving.searching import open_search
    from eagle.serving.trajectories import render

    steerer = open_steerer(Project(), agent)
    if budget:
        found = open_search(Project(), steerer, method).samples(user, item, budget=budget, samples=samples, seed=seed)
    else:
        found = steerer.samples(user, item, samples=samples, seed=seed)
    print(render(found, as_json=json))


@app.command()
def gaps(
    top: Annotated[int, typer.Option(min=1, help="how many")] = 10,
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List the best gaps of the catalogue that were found."""
    from eagle.core.project import Project
    from eagle.gaps.listing import best_gaps, render

    print(render(best_gaps(Project(), top), as_json=json))


@app.command()
def check(
    plan: Annotated[
        bool, typer.Option("--plan", help="instead, forecast time, tokens and memory of every stage")
    ] = False,
    params: Annotated[Path | None, typer.Option(help="forecast for this file instead of params.yaml")] = None,
    trial: Annotated[
        bool,
        typer.Option("--trial", help="instead, write 20 changes in minutes and say what a run is likely to be worth"),
    ] = False,
) -> None:
    """Check surroundings, parameters and data."""
    from eagle.config.installed import renew_code
    from eagle.core.project import Project
    from eagle.data.preflight import check_project

    if trial and (plan or params):
        raise typer.BadParameter("--trial and --plan are two questions: ask one at a time")
    renew_code(Project().root)
    if trial:
        from eagle.plan.trial.run import trial_lines

        lines = trial_lines(Project())
    elif plan or params:
        from eagle.config import load_config
        from eagle.plan.forecast import forecast_lines

        lines = forecast_lines(load_config(params or Project().params), Project())
    else:
        lines = check_project(Project())
    for line in lines:
        print(line)


@app.command()
def setting(name: Annotated[str, typer.Argument(help="a file of settings/ without its ending, such as hour")]) -> None:
    """Take over a named setting into params.yaml."""
    from eagle.config.settings import apply_setting
    from eagle.core.project import Project

    for line in apply_setting(Project(), name):
        print(line)


@app.command()
def report() -> None:
    """Print the table of the last run and where to find everything."""
    from eagle.config import load_config
    from eagle.core.project import Project
    from eagle.registry.kept import store_line
    from eagle.report.summary import print_summary

    project = Project()
    print_summary(project)
    if line := store_line(load_config(project.params).registry, project):
        print(line)


def main() -> None:
    """Entry point of the ``eagle`` command."""
    telemetry.switch_off()
    let_threads_sleep()
    app()


if __name__ == "__main__":
    main()
