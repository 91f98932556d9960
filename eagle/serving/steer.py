"""An agent at work on any user and item: the library side of ``eagle steer`` and of the scoring server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from eagle.actions.candidate_list import CandidateList
from eagle.config import Config
from eagle.core.errors import EagleError, Problem, did_you_mean, user_error
from eagle.core.project import Project
from eagle.core.seeding import derive_seed
from eagle.data.descriptions import Descriptions
from eagle.data.stored import read_titles
from eagle.engine.fetch import check_model_folder
from eagle.engine.open import open_language_model
from eagle.environment.rewrite import Rewriter
from eagle.environment.steering import Case, SteeringEnvironment
from eagle.evaluation.arms import TrieScorers
from eagle.evaluation.scoring import score
from eagle.latent.encoder import Encoder, LatentSpace, load_latent
from eagle.latent.utility import Utility
from eagle.methods.acting import LocalAgents
from eagle.methods.rollout import roll_out
from eagle.policies.adapters import ADAPTER_NOTE, check_base
from eagle.policies.agents import LoraAgent
from eagle.profiles.stored import Profiles
from eagle.serving.agent_files import AgentFiles

NEAREST = 3
AGENT = "agent"


@dataclass(frozen=True)
class Neighbour:
    """An existing item near a text; ``distance`` is Euclidean in the latent space."""

    item: str
    title: str
    distance: float


@dataclass(frozen=True)
class TrajectoryStep:
    """One text: step 0 is the item's own. A failed change keeps the text before it and says its cause."""

    step: int
    action: str
    text: str
    utility: float
    cause: str | None
    nearest: list[Neighbour]


@dataclass(frozen=True)
class Trajectory:
    """One episode; ``text`` and ``utility`` (SD of U over the catalogue,
    0 = the user's mean item) are the last step's.
    """

    user: str
    profile: str
    item: str
    title: str
    sample: int
    text: str
    utility: float
    steps: list[TrajectoryStep]


@dataclass(frozen=True)
class Steerer:
    """An agent with the environment that it steers."""

    agent: LoraAgent
    environment: SteeringEnvironment
    encoder: Encoder
    utility: Utility
    latent: LatentSpace
    texts: Mapping[str, str]  # of every item
    titles: dict[str, str]
    horizon: int

    @classmethod
    def load(cls, files: AgentFiles) -> Steerer:
        """Open a packed agent; EagleError where the models that it borrows are not the ones it was made with."""
        files.check_borrowed()
        return cls.open(files.config(), files, files.agent(files.arm))

    @classmethod
    def open(cls, config: Config, project: Project, adapter: Path) -> Steerer:
        """Open an adapter folder in a project, with the settings of the evaluation."""
        latent, model = load_latent(project.encoder), open_language_model(config.llm, project.llm, single=True)
        encoder, utility = Encoder.load(project.encoder, project.text_model), Utility.fit(latent, config.utility)
        agent = LoraAgent(
            name=AGENT,
            model=model,
            adapter=adapter,
            candidates=CandidateList.load(project.actions),
            profiles=Profiles.load(project.profiles).short,
            scorer=TrieScorers(config, project.llm).of(adapter),
            temperature=config.evaluate.temperature,
            repeat=config.train.repeat_actions,
            history=config.reference.history,
        )
        environment = SteeringEnvironment(
            Rewriter.open(config, project, model=model), encoder, utility, config.evaluate.horizon, config.seed
        )
        titles = read_titles(project.catalogue_files.items)
        texts = Descriptions.load(project.descriptions).texts
        return cls(agent, environment, encoder, utility, latent, texts, titles, config.evaluate.horizon)

    def steer(
        self, pairs: Sequence[tuple[str, str]], *, seed: int, sample: int = 0, horizon: int = 0
    ) -> list[Trajectory]:
        """Return one episode per (user, item), in order; unknown ids are one EagleError.

        ``horizon``: how many changes, 0 for as many as the agent was judged by. With the evaluation's cases and seed,
        these are the evaluation's texts: exactly in float32, while in bfloat16 a row that is alone, which has a pass of
        its own, is rounded elsewhere.
        """
        if horizon < 0:
            raise user_error(
                "horizon is no number of changes", found=horizon, expected="at least 1, or 0 for the agent's own"
            )
        self._check(pairs)
        cases = [self._case(number, user, item) for number, (user, item) in enumerate(pairs)]
        self.environment.seed, self.environment.horizon = seed, horizon or self.horizon
        rows, _ = roll_out(self.environment, cases, LocalAgents([self.agent]), self.environment.horizon, seed)
        table = pd.DataFrame([asdict(case) for case in cases]).astype({"year": object})
        scored = score(rows[rows["arm"] == AGENT].reset_index(drop=True), table, self.encoder, self.utility)
        return [self._trajectory(mine.sort_values("step"), sample) for _, mine in scored.groupby("case", sort=True)]

    def _check(self, pairs: Sequence[tuple[str, str]]) -> None:
        known = {"user": self.agent.profiles.keys() & set(self.latent.users), "item": self.texts.keys()}
        problems = []
        for what, names in (("user", {user for user, _ in pairs}), ("item", {item for _, item in pairs})):
            for name in sorted(names - known[what]):
                some = ", ".join(sorted(known[what])[:3])
                mend = (what == "item" and self._titled(name)) or did_you_mean(name, known[what])
                problems.append(
                    Problem(f"unknown {what} {name!r}", "", f"one of {len(known[what])}, such as {some}", mend)
                )
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

    def _trajectory(self, rows: pd.DataFrame, sample: int) -> Trajectory:
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
        return Trajectory(user, profile, item, title, sample, steps[-1].text, steps[-1].utility, steps)

    def _nearest(self, z: np.ndarray) -> list[Neighbour]:
        away = np.linalg.norm(self.latent.item_vectors - z, axis=1)
        items = [(self.latent.items[i], float(away[i])) for i in np.argsort(away, kind="stable")[:NEAREST]]
        return [Neighbour(item, self.titles.get(item, item), distance) for item, distance in items]


def steer(project: Project, user: str, item: str, *, agent: str, samples: int, seed: int) -> list[Trajectory]:
    """Return ``samples`` episodes of an agent (champion, a models:/ address, or a folder) for one user and item."""
    from eagle.config import load_config

    steerer = _open(load_config(project.params), project, agent)
    seeds = [derive_seed(seed, "sample", n) if n else seed for n in range(samples)]
    return [
        trajectory for n, own in enumerate(seeds) for trajectory in steerer.steer([(user, item)], seed=own, sample=n)
    ]


def _open(config: Config, project: Project, agent: str) -> Steerer:
    if (Path(agent) / ADAPTER_NOTE).exists():  # one of this project's own, registered or not
        check_model_folder(project.llm, chat=True)
        check_base(Path(agent), project.llm)
        return Steerer.open(config, project, Path(agent))
    from eagle.serving.model import open_agent

    return Steerer.load(open_agent(config.registry, project, agent))


def render(trajectories: Sequence[Trajectory], *, as_json: bool) -> str:
    """Return the episodes as JSON or as text."""
    if as_json:
        return json.dumps([asdict(trajectory) for trajectory in trajectories], indent=2, ensure_ascii=False)
    return "\n\n".join(_block(trajectory) for trajectory in trajectories)


def _block(trajectory: Trajectory) -> str:
    lines = [
        f"{trajectory.title} (item {trajectory.item}) for user {trajectory.user}, sample {trajectory.sample}: "
        f"{trajectory.profile}",
        "   U in SD over the catalogue, 0 = the user's mean item",
    ]
    for step in trajectory.steps:
        lines.append(f"{step.step}. {step.action or 'as it is'}{f' (failed: {step.cause})' if step.cause else ''}")
        lines.append(f"   {step.text}")
        near = ", ".join(f"{n.title} ({n.distance:.2f})" for n in step.nearest)
        lines.append(f"   U {step.utility:+.2f}; near: {near}")
    return "\n".join(lines)
