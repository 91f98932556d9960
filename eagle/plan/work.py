"""How much work each stage has under given parameters: counts whose ratio scales the costs of a finished run."""

from __future__ import annotations

from typing import NamedTuple

from eagle.actions.written import MAX_TOKENS
from eagle.config import AllActionPhase, Config, SelectionPhase, seeded
from eagle.config.stages import all_instances
from eagle.domains.open import domain_of
from eagle.environment.adapted import reason_against
from eagle.plan.sizes import Sizes
from eagle.policies.agents import LONGEST_ACTION
from eagle.profiles.writer import LINE_TOKENS

SIMPLE_ARMS = 4  # random, linear rule, softmax, fixed: they write no actions, but the environment answers them
PLAYED_STEP = 200  # actions weighed in the time of one step played [M: .44 s and .0022 s on two cores]
STEP_READ = 350  # actions whose tokens are as many as the prompts of one step played [M: 1.5 and some 530 tokens]
PROMPT = 13  # actions imitated in the time of their prompt [M: .18 s and .014 s]
PLOT_TOKEN, PROFILE_TOKEN = 48, 0.16  # items, users done in the time of one token [M: .00006, .018 and .0029 s]
ELM_TEXT = 1.2  # starts of a stage that trains nothing in the time of one text [O: estimated from its arithmetic]
EMBEDDED = 1_600  # ratings in a round of the encoder in the time of one text [M: .0061 s and .0000038 s]

PROPOSERS, FEWER = (
    2,
    8,
)  # [M: 50, 70 and 116 texts an anchor for random draws at budgets 8, 16 and 32; twice that in all]

# In the time of the stage that is off, 2.4 s [M: the default's stage took 350 s; divided over the three by O: their
# arithmetic, as 90 to 9 to 3].
LEARNED, ANSWERED, EMBEDDED_STORY = 0.09, 0.009, 0.003


class Work(NamedTuple):
    """One stage's counts; only the ratio of two means anything."""

    time: float = 1.0
    written: float = 0.0  # tokens that the language model may write
    at_once: float = 1.0  # what is in memory together
    read: float = 0.0  # prompts, long and short ones alike


def work_of(config: Config, sizes: Sizes) -> dict[str, Work]:
    """Return the work of every stage by its full name (``train@g_optimal``), in the order in which they run."""
    ratings, rows = sizes.ratings, transition_rows(config)
    anchors = config.actions.train_anchors + config.actions.validation_anchors
    found = {
        **{name: Work(ratings, 0, ratings) for name in ("fetch", "validate", "split")},
        "factors": Work(ratings * config.factors.iterations, 0, ratings),
        "describe": _plots(config, sizes),
        "quality": Work(sizes.items),
        "encoder": Work(EMBEDDED * sizes.items + ratings * config.encoder.rounds, 0, sizes.items + ratings),
        "profiles": _profiles(config, sizes),
        "actions": _writing(anchors * config.actions.llm_written, MAX_TOKENS, config),
        "environment": _environment(config),
        "transitions": _writing(rows, config.llm.max_new_tokens, config),
        "design": Work(rows),
        **{f"reference@{target}": _reference(config, target) for target in config.reference.names},
        **{f"train@{arm}": _train(config) for arm in config.train.arms},
        "elm": _elm(config),
        "evaluate": _evaluate(config),
    }
    return {name: found.get(name, Work()) for name in all_instances(config)}


def transition_rows(config: Config) -> int:
    """Return how many next texts are cached: anchors x actions x samples."""
    settings, anchors = config.transitions, config.actions.train_anchors + config.actions.validation_anchors
    return anchors * settings.samples * (config.actions.per_anchor + settings.second_steps * settings.second_actions)


def _writing(texts: int, longest: int, config: Config) -> Work:
    return Work(texts * longest, texts * longest, min(texts, config.llm.batch_rows), texts)


def _environment(config: Config) -> Work:
    """Edits learned, answers written for them and for the comparison, and stories embedded, if there is any."""
    settings = config.environment
    if reason_against(config) is not None:
        return Work()
    texts = settings.own_drawn + 2 * settings.anchors * settings.changes
    edits, tokens = settings.updates * settings.edits, texts * config.llm.max_new_tokens
    return Work(1 + LEARNED * edits + ANSWERED * texts + EMBEDDED_STORY * settings.stories, tokens, read=texts)


def _plots(config: Config, sizes: Sizes) -> Work:
    texts = min(sizes.items, config.describe.write_at_most)
    tokens = texts * config.llm.max_new_tokens
    return Work(sizes.items + PLOT_TOKEN * tokens, tokens, read=texts)


def _profiles(config: Config, sizes: Sizes) -> Work:
    users = min(sizes.users, config.profiles.written or sizes.users) if config.profiles.origin == "llm" else 0
    texts = users * len(domain_of(config).profiling.sections)
    return Work(sizes.users + PROFILE_TOKEN * texts * LINE_TOKENS, texts * LINE_TOKENS, read=texts)


def _reference(config: Config, name: str) -> Work:
    """An optimistic target is one action, a uniform one all K, a G-optimal one some two per dimension of the design."""
    candidates, prompts = config.actions.per_anchor, config.reference.prompts
    of_design = min(candidates, 2 * (config.design.projection or candidates))
    support = {"uniform": candidates, "optimistic": 1, "g_optimal": of_design}[seeded(name)[0]]
    actions = prompts * min(support, config.reference.actions or support)
    passes = config.reference.updates * (PROMPT * prompts + actions)
    return Work(passes, 0, actions, passes)


def _train(config: Config) -> Work:
    """Updates x pairs x K, the pool scored once for half as much again each, and every text that a phase asks for."""
    weighed = played = at_once = 0
    for phase in config.train.phases:
        if isinstance(phase, AllActionPhase):
            actions = phase.pairs * config.actions.per_anchor
            weighed += phase.updates * actions + 2 * max(phase.pool, phase.pairs) * config.actions.per_anchor
        elif isinstance(phase, SelectionPhase):
            actions = phase.pairs * config.actions.per_anchor
            weighed += 2 * phase.updates * actions  # by the reference and, before it draws, by the policy too
            played += phase.updates * phase.pairs * phase.draws
        else:
            actions = max(1, phase.episodes // phase.rollouts_per_pair) * phase.rollouts_per_pair * config.train.horizon
            played += phase.updates * actions
        at_once = max(at_once, actions)
    tokens = played * (config.llm.max_new_tokens + LONGEST_ACTION)
    return Work(weighed + PLAYED_STEP * played, tokens, at_once, weighed + STEP_READ * played)


def _elm(config: Config) -> Work:
    """Texts read in training; 1 where none is trained, which leaves a stage that starts and ends."""
    settings = config.elm
    updates = settings.updates + settings.adapter_updates if settings.updates else 0
    return Work(1 + ELM_TEXT * updates * settings.texts)


def _bank(config: Config) -> float:
    """Texts of one change that all searches share: drawn anew for an action the more often, the larger the budget."""
    budgets = config.evaluate.budgets
    most = max(budgets.most, config.evaluate.search.budget if config.evaluate.methods else 0)
    anchors = max(config.evaluate.anchors, budgets.anchors)
    return PROPOSERS * anchors * config.actions.per_anchor * (1 + most / FEWER) if most else 0


def _evaluate(config: Config) -> Work:
    """Cases x horizon x arms: every arm has texts written, the policies write their actions too."""
    settings, arms = config.evaluate, len(config.train.arms)
    cases = settings.anchors * settings.users
    other = settings.other_temperature is not None or settings.other_model is not None
    writing = len(config.reference.names) + arms * (1 + settings.listed_arms + other)
    texts = cases * settings.horizon * (SIMPLE_ARMS + writing) + cases * arms * settings.macro + _bank(config)
    actions = cases * settings.horizon * writing
    tokens = texts * config.llm.max_new_tokens + actions * LONGEST_ACTION
    return Work(tokens, tokens, min(cases, 2 * config.llm.batch_rows), texts + actions)  # in two parts, side by side
