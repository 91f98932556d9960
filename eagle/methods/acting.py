"""Who acts in the comparison: agents of this process, and agents on workers, whose finished shards are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from eagle.compute.cutting import cut
from eagle.compute.sharding import ShardCache, answer_shards
from eagle.compute.workers import Workers
from eagle.environment.steering import Observation

if TYPE_CHECKING:
    from eagle.policies.base import Agent

ACT = "act"
Seen = Mapping[str, tuple[Sequence[Observation], Sequence[int]]]
"""By agent: what it sees, and one seed each."""
Acted = dict[str, tuple[list[str], Counter[str]]]
"""By agent: its actions, and how often what happened (its ``counts``, where it has some)."""


class Actors(Protocol):
    """All agents of a comparison."""

    @property
    def names(self) -> Sequence[str]: ...

    def act(self, seen: Seen) -> Acted: ...


def counted(agent: Agent, observations: Sequence[Observation], seeds: Sequence[int]) -> tuple[list[str], Counter[str]]:
    """Return what an agent does, and what it counted about that."""
    before = _counts(agent)
    return agent.act(observations, seeds), _counts(agent) - before


def _counts(agent: Agent) -> Counter[str]:
    counts = getattr(agent, "counts", None)
    return Counter() if counts is None else Counter(asdict(counts))


@dataclass(frozen=True)
class LocalAgents:
    """Agents of this process."""

    agents: Sequence[Agent]

    @property
    def names(self) -> list[str]:
        return [agent.name for agent in self.agents]

    def act(self, seen: Seen) -> Acted:
        """Let one agent act after the other."""
        return {agent.name: counted(agent, *seen[agent.name]) for agent in self.agents}


def acted(agents: Mapping[str, Agent], question: Sequence[Any]) -> list[Any]:
    """Answer one shard ["act", agent, observations, seeds] in a worker: [actions, counts]."""
    _, name, observations, seeds = question
    seen = [Observation(**{**fields, "history": tuple(fields["history"])}) for fields in observations]
    actions, counts = counted(agents[name], seen, seeds)
    return [actions, dict(counts)]


@dataclass(frozen=True)
class ShardedAgents:
    """Agents that live on workers; ``rows`` observations of one agent are a shard."""

    names: Sequence[str]
    workers: Workers
    cache: ShardCache
    rows: int

    def act(self, seen: Seen) -> Acted:
        """Let all agents act; shards of all of them are under way together."""
        shards = [(name, shard) for name in self.names for shard in cut(zip(*seen[name], strict=True), self.rows)]
        answers = answer_shards(
            shards,
            self.workers,
            self.cache,
            question=lambda named: [ACT, named[0], [asdict(o) for o, _ in named[1]], [seed for _, seed in named[1]]],
            title="choosing actions",
            unit="action",
            count=lambda named: len(named[1]),
        )
        found: Acted = {name: ([], Counter()) for name in self.names}
        for (name, _), (actions, counts) in zip(shards, answers, strict=True):
            found[name][0].extend(actions)
            found[name][1].update(counts)
        return found


@dataclass(frozen=True)
class WorkerAgent:
    """One agent that lives on workers, as an agent of this process."""

    actors: ShardedAgents
    name: str

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Let it act."""
        return self.actors.act({self.name: (observations, seeds)})[self.name][0]


@dataclass(frozen=True)
class AgentGroups:
    """Several groups as one."""

    groups: Sequence[Actors]

    @property
    def names(self) -> list[str]:
        return [name for group in self.groups for name in group.names]

    def act(self, seen: Seen) -> Acted:
        """Let every group act."""
        return {name: done for group in self.groups for name, done in group.act(seen).items()}
