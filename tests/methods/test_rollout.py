"""Arms side by side: same cases, common texts, failures that keep the text, and utilities beside every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eagle.compute.sharding import ShardCache
from eagle.compute.workers import InProcess
from eagle.environment.rewrite import Rewrite
from eagle.environment.sharded import ShardedRewriter, rewritten
from eagle.environment.steering import Case, Observation, SteeringEnvironment
from eagle.evaluation.scoring import RememberingEncoder, score
from eagle.methods.acting import LocalAgents
from eagle.methods.rollout import roll_out, stopped_early

CASES = [Case(n, f"i{n % 2}", f"u{n // 2}", f"Genres: war. Plot: Story of item {n % 2}.", 1990) for n in range(4)]


@dataclass
class Writer:
    """Adds the action and a number drawn from the seed to the plot; "Break it." fails."""

    asked: list[tuple[str, str, int]] = field(default_factory=list)

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        self.asked += zip(texts, actions, seeds, strict=True)
        return [
            Rewrite(None, "cut off") if action == "Break it." else Rewrite(f"{text} {action} {seed % 1000}.")
            for text, action, seed in zip(texts, actions, seeds, strict=True)
        ]


class Lengths:
    """Latent space: length of the text and the year; U is the length, for user u1 with a minus."""

    calls: int = 0

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        self.calls += len(texts)
        return np.array([[len(text), year or 0] for text, year in zip(texts, years, strict=True)], dtype=np.float32)

    def __call__(self, z: np.ndarray, users: Sequence[str]) -> np.ndarray:
        return z[:, 0] * np.array([-1.0 if user == "u1" else 1.0 for user in users])

    def parts(self, z: np.ndarray, users: Sequence[str]) -> dict[str, np.ndarray]:
        return {"preference": self(z, users), "distance": np.zeros(len(users))}


@dataclass
class Fixed:
    name: str
    actions: tuple[str, ...]
    seeds: list[list[int]] = field(default_factory=list)

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        self.seeds.append(list(seeds))
        return [self.actions[o.step] for o in observations]


def play(folder: Path, agents: list[Fixed], writer: Writer) -> pd.DataFrame:
    workers = InProcess(lambda: lambda question: rewritten(writer, question[1]))
    environment = SteeringEnvironment(ShardedRewriter(workers, 3, ShardCache(folder, "x")), Lengths(), Lengths())
    return roll_out(environment, CASES, LocalAgents(agents), 2, 0)[0]


@pytest.fixture
def played(tmp_path: Path) -> tuple[pd.DataFrame, Writer, list[Fixed]]:
    agents = [
        Fixed("one", ("Add a war.", "Add a robot.")),
        Fixed("two", ("Add a war.", "Break it.")),
        Fixed("three", ("Add a war.",) * 2),
    ]
    writer = Writer()
    return play(tmp_path, agents, writer), writer, agents


def test_every_arm_has_every_case_and_step(played: tuple[pd.DataFrame, Writer, list[Fixed]]) -> None:
    rows, _, _ = played
    assert list(dict.fromkeys(rows["arm"])) == ["anchor", "one", "two", "three"]
    assert rows[rows["arm"] == "anchor"][["case", "step"]].to_numpy().tolist() == [[n, 0] for n in range(4)]
    for arm in ("one", "two", "three"):
        assert sorted(rows.loc[rows["arm"] == arm, ["case", "step"]].itertuples(index=False, name=None)) == [
            (case, step) for case in range(4) for step in range(3)
        ]


def test_the_same_action_on_the_same_text_gives_the_same_text_once(
    played: tuple[pd.DataFrame, Writer, list[Fixed]],
) -> None:
    rows, writer, _ = played
    first = rows[rows["step"] == 1]
    assert (first.groupby("anchor")["text"].nunique() == 1).all()
    assert len(writer.asked) == len(set(writer.asked)) == 2 + 2 * 3


def test_arms_draw_with_common_seeds_that_differ_between_cases(
    played: tuple[pd.DataFrame, Writer, list[Fixed]],
) -> None:
    _, _, agents = played
    assert agents[0].seeds == agents[1].seeds == agents[2].seeds
    assert len({seed for step in agents[0].seeds for seed in step}) == 8


def test_a_failed_change_keeps_the_text_and_its_cause(played: tuple[pd.DataFrame, Writer, list[Fixed]]) -> None:
    rows, _, _ = played
    two = rows[rows["arm"] == "two"]
    failed = two[two["step"] == 2].set_index("case")
    assert not failed["valid"].any()
    assert set(failed["cause"]) == {"cut off"}
    assert failed["text"].equals(two[two["step"] == 1].set_index("case")["text"])
    assert rows.loc[rows["arm"] == "three", "duplicate"].tolist() == [False] * 8 + [True] * 4


def test_same_seed_same_rows_and_a_resumed_run_asks_nothing_again(tmp_path: Path) -> None:
    agents = [Fixed("one", ("Add a war.", "Add a robot."))]
    first, again, fresh = Writer(), Writer(), Writer()
    rows = play(tmp_path / "a", agents, first)
    assert play(tmp_path / "a", agents, again).equals(rows)
    assert again.asked == []
    assert play(tmp_path / "b", agents, fresh).equals(rows)


def test_an_arm_that_stops_early_shares_the_rows(played: tuple[pd.DataFrame, Writer, list[Fixed]]) -> None:
    once = stopped_early(played[0], "one", "one_once", 1)
    assert set(once["arm"]) == {"one_once"}
    assert once["step"].max() == 1
    assert len(once) == 8


def test_scores_stand_beside_every_row(played: tuple[pd.DataFrame, Writer, list[Fixed]]) -> None:
    rows = played[0]
    table = pd.DataFrame(
        {"case": range(4), "text": [c.text for c in CASES], "year": pd.Series([1990] * 4, dtype=object)}
    )
    lengths = Lengths()
    scored = score(rows, table, RememberingEncoder(lengths), lengths)
    sign = np.where(scored["user"] == "u1", -1, 1)
    assert scored["utility"].tolist() == (sign * scored["text"].str.len()).tolist()
    assert [z[1] for z in scored["z"]] == [1990.0] * len(scored)
    assert (scored["year"] == 1990).all()
    assert scored["genre_line_utility"].abs().tolist() == [len(CASES[case].text) for case in scored["case"]]
    assert lengths.calls == len(set(rows["text"]) | {c.text for c in CASES})


def test_no_texts_are_encoded_as_the_inner_encoder_does() -> None:
    """As a search asks whose round left nothing that may be kept."""
    assert np.array_equal(RememberingEncoder(Lengths()).encode([], []), Lengths().encode([], []))
