"""An agent at work on any user and item: the library side of ``eagle steer`` and of the scoring server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from eagle.actions.candidate_list import CandidateList
from eagle.compute.beside import one_thread
from eagle.compute.devices import placement
from eagle.config import Config
from eagle.core.errors import EagleError, Problem, did_you_mean, user_error
from eagle.core.project import Project
from eagle.core.seeding import derive_seed
from eagle.data.descriptions import Descriptions
from eagle.data.stored import read_titles
from eagle.engine.base import LanguageModel
from eagle.engine.open import open_language_model
from eagle.environment.rewrite import Rewriter
from eagle.environment.steering import Case, SteeringEnvironment, Writer
from eagle.evaluation.scoring import RememberingEncoder, score
from eagle.latent.base import TextEncoder, Utility
from eagle.latent.encoders import load_encoder
from eagle.latent.space import LatentSpace, load_latent
from eagle.latent.utilities import fit_utility
from eagle.methods.acting import LocalAgents
from eagle.methods.rollout import roll_out
from eagle.policies.agents import ActionCounts, LoraAgent
from eagle.policies.trie_scorers import TrieScorers
from eagle.profiles.stored import Profiles
from eagle.quality.gates import TextGates
from eagle.quality.stored import load_gates
from eagle.serving.agent_files import AgentFiles
from eagle.serving.trajectories import Neighbour, ServedTrajectory, TrajectoryStep
from eagle.serving.turns import AgentInTurn, EncoderInTurn, Turns, WriterInTurn

NEAREST = 3
NAMED = 10  # unknown ids of each kind; to look for what each may have meant takes time
AGENT = "agent"


@dataclass(frozen=True)
class Steerer:
    """An agent with what it needs to steer; nothing in it changes, so requests may come side by side.

    Requests share the engine, the sentence model and what is read from files. Each has its own environment, its own
    memory of points and its own counts; ``turns`` lets one of them at a time use the engine, and ends those whose
    time is over (:func:`eagle.serving.turns.time_limit`).
    """

    agent: LoraAgent
    writer: Writer
    encoder: TextEncoder
    utility: Utility
    latent: LatentSpace
    texts: Mapping[str, str]  # of every item
    titles: dict[str, str]
    horizon: int
    remark: str | None = None  # why texts may not be the evaluation's
    scorers: TrieScorers | None = None  # of other agents over the same model
    gates: TextGates | None = None  # None in an agent that was packed before there were any: no text is broken
    turns: Turns = field(default_factory=Turns)

    @classmethod
    def load(cls, files: AgentFiles) -> Steerer:
        """Open a packed agent; EagleError where the models that it borrows are not the ones it was made with."""
        files.check()
        return cls.open(files.config(), files, files.agent(files.arm))

    @classmethod
    def open(cls, config: Config, project: Project, adapter: Path) -> Steerer:
        """Open an adapter folder in a project, with the settings of the evaluation."""
        latent = load_latent(project.encoder)
        with one_thread():
            model = _opened(config, project, adapter)
            encoder = load_encoder(project.encoder, project.text_model, remember=False)
        scorers = TrieScorers(config, project.llm)
        agent = LoraAgent(
            name=AGENT,
            model=model,
            adapter=adapter,
            candidates=CandidateList.load(project.actions),
            profiles=Profiles.load(project.profiles).short,
            scorer=scorers.of(adapter),
            temperature=config.evaluate.temperature,
            repeat=config.train.repeat_actions,
            history=config.reference.history,
        )
        return cls(
            agent=agent,
            writer=Rewriter.open(config, project, model=model, remember=False),
            encoder=encoder,
            utility=fit_utility(latent, config.utility),
            latent=latent,
            texts=Descriptions.load(project.descriptions).texts,
            titles=read_titles(project.catalogue_files.items),
            horizon=config.evaluate.horizon,
            scorers=scorers,
            gates=load_gates(project, config) if project.quality.exists() else None,
            remark=rounding(config, model),
        )

    def steer(
        self, pairs: Sequence[tuple[str, str]], *, seed: int, sample: int = 0, horizon: int = 0
    ) -> list[ServedTrajectory]:
        """Return one episode per (user, item), in order; unknown ids are one EagleError.

        ``horizon``: how many changes, 0 for as many as the agent was judged by. With the evaluation's cases and seed,
        these are the evaluation's texts, unless ``remark`` says why they may not be.
        """
        if horizon < 0:
            raise user_error(
                "horizon is no number of changes", found=horizon, expected="at least 1, or 0 for the agent's own"
            )
        if not pairs:
            return []  # tables without a row have no columns to work with
        cases = self.cases(pairs)
        encoder = RememberingEncoder(EncoderInTurn(self.encoder, self.turns))
        environment = SteeringEnvironment(WriterInTurn(self.writer, self.turns), encoder, self.utility)
        agents = LocalAgents([AgentInTurn(replace(self.agent, counts=ActionCounts()), self.turns)])
        rows, _ = roll_out(environment, cases, agents, horizon or self.horizon, seed)
        table = pd.DataFrame([asdict(case) for case in cases]).astype({"year": object})
        scored = score(rows[rows["arm"] == AGENT].reset_index(drop=True), table, encoder, self.utility)
        return [self.trajectory(mine.sort_values("step"), sample) for _, mine in scored.groupby("case", sort=True)]

    def samples(self, user: str, item: str, *, samples: int, seed: int) -> list[ServedTrajectory]:
        """Return ``samples`` episodes for one user and item; the first has ``seed`` itself."""
        seeds = [derive_seed(seed, "sample", n) if n else seed for n in range(samples)]
        return [found for n, own in enumerate(seeds) for found in self.steer([(user, item)], seed=own, sample=n)]

    def cases(self, pairs: Sequence[tuple[str, str]]) -> list[Case]:
        """Return one case per (user, item), numbered from 0; unknown ids are one EagleError."""
        self._check(pairs)
        return [self._case(number, user, item) for number, (user, item) in enumerate(pairs)]

    def _check(self, pairs: Sequence[tuple[str, str]]) -> None:
        known = {"user": self.agent.profiles.keys() & set(self.latent.users), "item": self.texts.keys()}
        problems = []
        for what, names in (("user", {user for user, _ in pairs}), ("item", {item for _, item in pairs})):
            unknown = sorted(names - known[what])
            some = ", ".join(sorted(known[what])[:NEAREST])
            for name in unknown[:NAMED]:
                mend = (what == "item" and self._titled(name)) or did_you_mean(name, known[what])
                problems.append(
                    Problem(f"unknown {what} {name!r}", "", f"one of {len(known[what])}, such as {some}", mend)
                )
            if unknown[NAMED:]:
                problems.append(Problem(f"{len(unknown) - NAMED:,} more {what}s are unknown"))
        if problems:
            raise EagleError(problems)

    def _titled(self, words: str) -> str:
        """Return the ids of items with these words in their title, for who gave a title for an id."""
        found = [f"{item} ({title})" for item, title in self.titles.items() if words.casefold() in title.casefold()][
            :NEAREST
        ]
        return f"give an id: {', '.join(found)}" if found and any(map(str.isalpha, words)) else ""

    def _case(self, number: int, user: str, item: str) -> Case:
        return Case(number, item, user, self.texts[item], self.latent.years[item])

    def trajectory(self, rows: pd.DataFrame, sample: int) -> ServedTrajectory:
        """Return the scored rows of one episode, in the order of its steps, as a record."""
        steps = [
            TrajectoryStep(
                int(r["step"]),
                r["action"],
                r["text"],
                float(r["utility"]),
                r["cause"] or None,
                self._nearest(np.array(r["z"])),
            )
            for r in rows.to_dict("records")
        ]
        user, item = str(rows["user"].iloc[0]), str(rows["anchor"].iloc[0])
        profile, title = self.agent.profiles[user], self.titles.get(item, item)
        return ServedTrajectory(
            user, profile, item, title, sample, steps[-1].text, steps[-1].utility, steps, self.remark
        )

    def _nearest(self, z: np.ndarray) -> list[Neighbour]:
        away = np.linalg.norm(self.latent.item_vectors - z, axis=1)
        items = [(self.latent.items[i], float(away[i])) for i in np.argsort(away, kind="stable")[:NEAREST]]
        return [Neighbour(item, self.titles.get(item, item), distance) for item, distance in items]


def _opened(config: Config, project: Project, adapter: Path) -> LanguageModel:
    """Open the language model with its adapter at hand, so that the first request need not wait for it."""
    model = open_language_model(config.llm, project.llm, single=True)
    model.load_adapter(adapter)
    model.load_adapter(None)
    return model


def rounding(config: Config, model: LanguageModel) -> str | None:
    """Return why a text for one case alone may not be the evaluation's; None where it is."""
    if model.batch_invariant:
        return None
    dtype = str(placement(config.llm)["dtype"]).removeprefix("torch.")
    return f"written one row at a time in {dtype}: may differ from the evaluation's text"
