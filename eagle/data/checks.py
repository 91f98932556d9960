"""Stage ``validate``: great-expectations looks at every row of the catalogue before anything is learned from it."""

from __future__ import annotations

import html
import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, content_hash, write_json
from eagle.core.errors import EagleError, Problem
from eagle.core.project import Project
from eagle.data.catalogue import Catalogue, read_catalogue
from eagle.data.overview import Overview

NAMED_ROWS = 10
"""Failing rows that an error names, per check."""
FEWEST = {"items": 10, "users": 5, "ratings": 50}
"""Rows below which no split leaves anything to learn from or to judge on [ours]."""
JUDGED = ("item_known", "user_known", "rating_in_range")
"""Columns of the checked ratings that hold a judgement, not data."""
FIRST_FILM, FIRST_YEAR, LAST_YEAR = 1870, -3000, 2100


@dataclass(frozen=True)
class Check:
    """One expectation (great-expectations' class name and arguments) with the words for its failure."""

    table: str
    expectation: str
    arguments: Mapping[str, Any]
    what: str
    expected: str
    mend: str


_MISSING, _UNIQUE = "ExpectColumnValuesToNotBeNull", "ExpectColumnValuesToBeUnique"
_BETWEEN, _AMONG = "ExpectColumnValuesToBeBetween", "ExpectColumnValuesToBeInSet"
_DROP = "mend or remove these rows in the source"


def checks_for(catalogue: Catalogue, noun: str) -> list[Check]:
    """Return everything that must hold for this catalogue; ``noun`` says what years are plausible."""
    source, oldest = catalogue.source, FIRST_FILM if noun == "film" else FIRST_YEAR
    return [
        *_of_items(oldest),
        Check("users", _MISSING, {"column": "user"}, "a user has no id", "an id in every row", _DROP),
        Check("users", _UNIQUE, {"column": "user"}, "a user id stands in several rows", "each id once", _DROP),
        *_of_ratings(source.rating_min, source.rating_max),
        *(
            Check(
                table,
                "ExpectTableRowCountToBeBetween",
                {"min_value": fewest},
                f"there are too few {table}",
                f"at least {fewest}",
                "use a larger source, or lower data.min_ratings_per_user and data.min_ratings_per_item",
            )
            for table, fewest in FEWEST.items()
        ),
    ]


def _of_items(oldest: int) -> list[Check]:
    return [
        Check("items", _MISSING, {"column": "item"}, "an item has no id", "an id in every row", _DROP),
        Check("items", _UNIQUE, {"column": "item"}, "an item id stands in several rows", "each id once", _DROP),
        Check("items", _MISSING, {"column": "title"}, "an item has no title", "a title in every row", _DROP),
        Check(
            "items",
            _BETWEEN,
            {"column": "year", "min_value": oldest, "max_value": LAST_YEAR},
            "a year is not plausible",
            f"{oldest} to {LAST_YEAR}",
            _DROP,
        ),
    ]


def _of_ratings(low: float, high: float) -> list[Check]:
    return [
        Check("ratings", _MISSING, {"column": "user"}, "a rating has no user", "an id in every row", _DROP),
        Check("ratings", _MISSING, {"column": "item"}, "a rating has no item", "an id in every row", _DROP),
        Check("ratings", _MISSING, {"column": "rating"}, "a rating is missing", "a number in every row", _DROP),
        Check(
            "ratings",
            _AMONG,
            {"column": "rating_in_range", "value_set": [True]},
            "a rating is out of range",
            f"{low:g} to {high:g}",
            "mend these rows, or set data.rating_min and data.rating_max to the source's own scale",
        ),
        Check(
            "ratings",
            "ExpectCompoundColumnsToBeUnique",
            {"column_list": ["user", "item"]},
            "a user has rated an item more than once",
            "each pair of user and item once",
            "keep one of these rows, the latest for example",
        ),
        Check(
            "ratings",
            _AMONG,
            {"column": "item_known", "value_set": [True]},
            "a rated item is not in the items table",
            "every rated item",
            _DROP,
        ),
        Check(
            "ratings",
            _AMONG,
            {"column": "user_known", "value_set": [True]},
            "a rating's user is not in the users table",
            "every user",
            _DROP,
        ),
        Check(
            "ratings",
            "ExpectColumnUniqueValueCountToBeBetween",
            {"column": "rating", "min_value": 2},
            "all ratings are the same",
            "at least two different ratings",
            "check which column data.files.columns.rating names",
        ),
    ]


def tables_to_check(catalogue: Catalogue) -> dict[str, pd.DataFrame]:
    """Return the three tables with a row number (from 0) and, for ratings, what great-expectations would judge row by
    row in Python.
    """
    rating, source = catalogue.ratings["rating"], catalogue.source
    ratings = catalogue.ratings.assign(
        item_known=catalogue.ratings["item"].isin(catalogue.items["item"]) | catalogue.ratings["item"].isna(),
        user_known=catalogue.ratings["user"].isin(catalogue.users["user"]) | catalogue.ratings["user"].isna(),
        rating_in_range=rating.between(source.rating_min, source.rating_max) | rating.isna(),
    )
    items = catalogue.items.drop(columns="genres")
    tables = {"items": items, "users": catalogue.users, "ratings": ratings}
    return {name: table.assign(row=range(len(table))) for name, table in tables.items()}


_ENTITIES = {sign: html.escape(sign) for sign in "&<>\"'"}  # the ampersand first: every entity has one


def _escaped(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text that is safe in HTML: Data Docs show failing values as they are.

    Different ids stay different.
    """
    text = {name: table[name] for name in table.columns if pd.api.types.is_string_dtype(table[name])}
    unsafe = {
        name: column for name, column in text.items() if column.str.contains("[&<>\"']", regex=True, na=False).any()
    }
    for sign, entity in _ENTITIES.items():
        unsafe = {name: column.str.replace(sign, entity, regex=False) for name, column in unsafe.items()}
    return table.assign(**unsafe)


def validate(catalogue: Catalogue, noun: str, docs: Path, seen: Overview | None = None) -> list[dict[str, Any]]:
    """Run all checks, keep the Data Docs page under ``docs`` and return one record per check.

    The page shows ``seen``, what was read.

    Raises one :class:`~eagle.core.errors.EagleError` that names the first rows of every failed check; the page is kept
    then too.
    """
    checks = checks_for(catalogue, noun)
    tables = tables_to_check(catalogue)
    shown = seen.shown if seen else []
    results = _expectations(checks, {name: _escaped(table) for name, table in tables.items()}, docs, shown)
    problems = [
        _problem(check, tables[check.table], result)
        for check, result in zip(checks, results, strict=True)
        if not result["success"]
    ]
    if problems:
        raise EagleError(problems)
    return [
        {"table": check.table, "check": result["type"], "on": result["on"], "passed": True}
        for check, result in zip(checks, results, strict=True)
    ]


def _expectations(
    checks: Sequence[Check], tables: Mapping[str, pd.DataFrame], docs: Path, seen: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Let great-expectations judge; one plain record per check, in their order."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before the import, which would report usage otherwise
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # of modules that great-expectations imports
        import great_expectations as gx
        import great_expectations.expectations as known
        from great_expectations.data_context.types.base import ProgressBarsConfig

        from eagle.data.docs_view import site

    found: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        context = gx.get_context(mode="file", project_root_dir=folder)
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        context.update_data_docs_site("local_site", site(seen))
        source = context.data_sources.add_pandas("catalogue")
        for name, table in tables.items():
            chosen = {number: check for number, check in enumerate(checks) if check.table == name}
            expectations = [
                getattr(known, check.expectation)(**check.arguments, meta={"check": number}, notes=check.what)
                for number, check in chosen.items()
            ]
            suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations))
            batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
            definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
            checkpoint = context.checkpoints.add(
                gx.Checkpoint(
                    name=name,
                    validation_definitions=[definition],
                    result_format={
                        "result_format": "SUMMARY",
                        "unexpected_index_column_names": ["row"],
                        "partial_unexpected_count": NAMED_ROWS,
                    },
                )
            )
            run = checkpoint.run(batch_parameters={"dataframe": table})
            for outcome in next(iter(run.run_results.values())).results:
                record = _record(outcome)
                found[record["number"]] = record
        context.build_data_docs()
        _keep(Path(folder) / "gx/uncommitted/data_docs/local_site", docs)
    return [found[number] for number in range(len(checks))]


def _record(outcome: Any) -> dict[str, Any]:
    config, result = outcome.expectation_config, outcome.result
    return {
        "number": config.meta["check"],
        "success": bool(outcome.success),
        "type": config.type,
        "on": config.kwargs.get("column") or config.kwargs.get("column_list") or "table",
        "failed": result.get("unexpected_count"),
        "observed": result.get("observed_value"),
        "rows": [int(entry["row"]) for entry in result.get("partial_unexpected_index_list") or []],
        "error": next((text for text in _exceptions(outcome.exception_info)), ""),
    }


def _exceptions(info: Mapping[str, Any]) -> list[str]:
    """great-expectations reports a crash of its own as a failed check; its message is kept."""
    nested = [entry for entry in info.values() if isinstance(entry, Mapping)] or [info]
    return [str(entry["exception_message"]) for entry in nested if entry.get("raised_exception")]


def _problem(check: Check, table: pd.DataFrame, result: Mapping[str, Any]) -> Problem:
    if result["error"]:
        raise RuntimeError(f"great-expectations could not check {check.table}, {check.what!r}: {result['error']}")
    shown = table.drop(columns=[c for c in (*JUDGED, "row", "text", "timestamp") if c in table])
    rows = [
        f"row {row}: "
        + ", ".join(f"{name}={'missing' if pd.isna(value) else value}" for name, value in shown.iloc[row].items())
        for row in result["rows"][:NAMED_ROWS]
    ]
    if result["failed"] is None:
        found = str(result["observed"])
    else:
        more = f"\n    and {result['failed'] - len(rows)} more" if result["failed"] > len(rows) else ""
        found = f"{result['failed']} of {len(table)} rows\n    " + "\n    ".join(rows) + more
    return Problem(f"{check.table}: {check.what}", found=found, expected=check.expected, mend=check.mend)


def _keep(site: Path, docs: Path) -> None:
    with complete_or_absent(docs) as draft:
        shutil.copytree(
            site, draft, ignore=shutil.ignore_patterns("static")
        )  # pictures and fonts of pages that are not made


def run(config: Config, project: Project) -> None:
    """Check ``data/catalogue/`` and write ``data/validation.json``, which the split asks for."""
    catalogue = read_catalogue(project.catalogue)
    try:
        seen = Overview.read(project.catalogue_files.overview)
        records = validate(catalogue, config.data.noun, project.data_docs, seen)
    except EagleError as error:
        pages = ", ".join(str(page) for page in sorted(project.data_docs.glob("validations/*/*/*/*.html")))
        raise EagleError(
            [*error.problems, Problem("the catalogue is not used", mend=f"all checks, table by table: {pages}")]
        ) from None
    write_json(
        project.validation,
        {
            "catalogue": content_hash(project.catalogue),
            "passed": True,
            "source": catalogue.source.name,
            "counts": {
                "ratings": len(catalogue.ratings),
                "items": len(catalogue.items),
                "users": len(catalogue.users),
                "items_with_text": int(catalogue.items["text"].notna().sum()),
            },
            "checks": records,
        },
    )
