"""Stage quality and the loader, on catalogues that are written here."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from eagle.config import Config, QualityConfig
from eagle.core.artifacts import read_json, write_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.quality.gates import FEWEST, TextGates
from eagle.quality.stage import run
from eagle.quality.stored import load_gates

SECTIONS = ("data", "domain", "quality")
WRITTEN = "A model wrote this, wrote this, wrote this for an item without any text of its own."


def project(root: Path, texts: int) -> Project:
    """A project whose training items have so many texts of their own, besides a written one; half as many are held
    out.
    """
    plots = [f"Number {n} walks {n + 3} miles along the river to see house {n * 7}." for n in range(texts + texts // 2)]
    table = pd.DataFrame(
        {
            "item": [f"i{n}" for n in range(len(plots) + 2)],
            "text": [f"Genres: war. Plot: {plot}" for plot in [*plots, WRITTEN]] + ["Genres: war."],
            "genres": [["war"]] * (len(plots) + 2),
            "plot": [*plots, WRITTEN, ""],
            "year": pd.array([None] * (len(plots) + 2), "Int64"),
            "origin": ["source"] * len(plots) + ["llm", "metadata"],
        }
    )
    splits = ["train"] * texts + ["validation"] * (texts // 2) + ["train"] * 2
    found = Project(root)
    write_table(found.descriptions, table, "descriptions")
    write_table(found.split_files.items, table[["item"]].assign(split=splits), "item_split")
    return found


def test_the_stage_calibrates_on_real_texts_of_training_items(tmp_path: Path) -> None:
    files = project(tmp_path, FEWEST)
    run(Config().only(SECTIONS), files)
    report = read_json(files.stage_metrics("quality"))
    assert (report["texts"], report["note"], report["validation texts"]) == (FEWEST, None, FEWEST // 2)
    assert report["gates"]["repeated_triple"] == {
        "most": 0.0,
        "selects": True,
        "excluded": 0.0,
        "excluded of validation": 0.0,
    }
    gates = load_gates(files, Config().only(SECTIONS))
    assert isinstance(gates, TextGates)
    assert gates.causes([WRITTEN]) == [("repeated_triple", "repeated_opening")]
    held_out = "Number 60 walks 63 miles along the river to see house 420."
    assert gates.causes([held_out, held_out], ["", held_out]) == [("copied_item",), ()]


def test_the_loader_takes_what_selects_from_the_parameters(tmp_path: Path) -> None:
    files, config = project(tmp_path, FEWEST), Config(quality=QualityConfig(select=("too_long",), names=("Miles",)))
    run(config, files)
    assert load_gates(files, config).causes([WRITTEN]) == [("too_long",)]
    assert load_gates(files, config).exceeded(["Nobody sees Miles."])["example_name"].tolist() == [True]


def test_without_texts_of_its_own_nothing_is_broken_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = project(tmp_path, 1)
    run(Config(), files)
    report = read_json(files.stage_metrics("quality"))
    assert report["gates"] == {}
    assert str(report["note"]) in capsys.readouterr().err
    assert not load_gates(files, Config()).broken([WRITTEN, ""]).any()


def test_before_the_stage_there_are_no_gates(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match=r"quality\.json"):
        load_gates(project(tmp_path, 1), Config())
