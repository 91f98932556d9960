"""Typed, frozen view of params.yaml. Every problem in the file is reported at once.

Each field says what it means, its unit and where its default comes from: [P] the paper, [M] measured on the
embedded default (docs/method.md), [O] ours, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from eagle.core.errors import EagleError, Problem, did_you_mean, user_error

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
ReferenceName = Literal["uniform", "optimistic", "g_optimal"]
IDLE: dict[str, Any] = {"decides_results": False}
"""Marks a parameter that decides no result: ``dvc.yaml`` does not name it, so that a change makes no stage stale."""
LOCAL = "local"  # llm.cluster: workers on this machine


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def idle(cls) -> frozenset[str]:
        """Names of the parameters that say how and where work is done and decide no result."""
        return frozenset(name for name, field in cls.model_fields.items() if field.json_schema_extra == IDLE)

    def decisive(self) -> dict[str, Any]:
        """Return all other parameters, JSON-able: what unfinished work is known by."""
        return self.model_dump(mode="json", exclude=set(self.idle()))


class FileColumns(Section):
    """Column names in the user's own files; None where there is no such column."""

    user: str = Field("user", description="ratings: who rated")
    rated_item: str = Field("item", description="ratings: what was rated")
    rating: str = Field("rating", description="ratings: how high")
    timestamp: str | None = Field(None, description="ratings: when, seconds since 1970")
    item: str = Field("item", description="items (and texts): its id")
    title: str = Field("title", description="items: its title; a trailing '(1999)' is read as the year")
    text: str | None = Field(None, description="items or texts: plot or description")
    genres: str | None = Field(None, description="items: genres in one text column")
    year: str | None = Field(None, description="items: year; without it the title's '(1999)' is used")


class OwnFiles(Section):
    """The user's own catalogue (data.source: files), CSV or Parquet by file ending."""

    ratings: str | None = Field(None, description="path of the ratings file")
    items: str | None = Field(None, description="path of the items file")
    texts: str | None = Field(None, description="optional path of a file with the items' texts, joined by item id")
    genre_separator: str = Field("|", description="what separates genres in their column")
    columns: FileColumns = Field(FileColumns(), description="how the columns are named")


class DataConfig(Section):
    source: Literal["movielens-100k", "ml-latest-small", "ml-25m", "ml-32m", "files"] = Field(
        "movielens-100k", description="where ratings and items come from; the first needs no account and no hub"
    )
    noun: str = Field("film", description="what an item is called in prompts (film, book, garment)")
    files: OwnFiles = Field(OwnFiles(), description="used when source is 'files'")
    archive_url: str | None = Field(
        None, description="another address of an official archive (a mirror); None takes GroupLens' own"
    )
    rating_min: float | None = Field(None, description="lowest legal rating; None takes the source's own scale, or 0.5")
    rating_max: float | None = Field(None, description="highest legal rating; None takes the source's own scale, or 5")
    min_ratings_per_user: Count = Field(10, description="users with fewer are left out [O: too few to split]")
    min_ratings_per_item: Count = Field(1, description="items with fewer are left out")
    max_ratings: Natural = Field(
        0,
        description="keep at most this many ratings, by whole users drawn at random; 0 keeps all [O: laptops and ml-25m]",
    )


class SplitConfig(Section):
    test_items: Fraction = Field(0.2, description="share of items that only evaluation sees [M: METHOD's 60/20/20]")
    validation_items: Fraction = Field(0.2, description="share of items for choosing settings [M]")
    test_users: Fraction = Field(0.15, description="share of users that only evaluation sees [O]")
    validation_users: Fraction = Field(0.1, description="share of users for choosing settings [O]")
    panel_ratings: Fraction = Field(
        0.4,
        description="share of every user's ratings that only the judging panel learns from [O: nothing shared with the reward]",
    )
    holdout_ratings: Fraction = Field(0.1, description="share of the rest kept to measure warm RMSE [O]")


class FactorsConfig(Section):
    dimension: Count = Field(12, description="n, length of an item vector [M]")
    regularization: Positive = Field(10.0, description="L2 penalty on user and item vectors, in ratings [M]")
    iterations: Count = Field(12, description="alternating sweeps [O: converged]")
    missing_weight: NonNegative = Field(
        0.0,
        description="weight of an unobserved rating at the user's mean; 0 fits observed ratings only [P leaves it open]",
    )
    engine: Literal["numpy", "spark"] = Field(
        "numpy",
        description="who factorises: this process, or Spark MLlib's ALS (extra spark; Spark's own settings say where) [M: 25M ratings fit one machine]",
    )


class DescribeConfig(Section):
    max_words: Count = Field(
        32, description="words of a plot kept, cut at a sentence where possible [M: the small model needs short texts]"
    )
    write_at_most: Natural = Field(
        0,
        description="LLM-written plots for at most this many items without a text, most rated first [O: time]; others get their genre line only",
    )
    temperature: NonNegative = Field(0.7, description="sampling temperature of written plots [O]")


class EncoderConfig(Section):
    kind: Literal["joint_hybrid", "two_stage"] = Field(
        "joint_hybrid", description="joint hybrid [M]; two_stage is the paper's [P 5.1]"
    )
    rounds: Count = Field(
        3,
        description="alternations of the joint hybrid [M: 3 ranks unseen items better than 6 or 10; stopping early regularises]",
    )
    lambda_user: Positive = Field(10.0, description="penalty on user vectors [M]")
    lambda_offset: Positive = Field(10.0, description="penalty on item offsets from the text prediction [M]")
    lambda_text: Positive = Field(37.0, description="penalty on the text map W [M]")
    lambda_bias_text: Positive = Field(24.0, description="penalty on the text map of the item bias [M]")
    lambda_bias_offset: Positive = Field(7.0, description="penalty on item bias offsets [M]")
    lambda_user_bias: Positive = Field(5.0, description="penalty on user biases [M]")
    ridge: Positive = Field(20.0, description="two_stage: L2 penalty of the regression onto factors [M]")
    pca: Count = Field(60, description="components kept of each text embedding [M]")
    genre_weight: NonNegative = Field(0.3, description="scale of the genre multi-hot features [M]")
    plot_weight: NonNegative = Field(1.0, description="scale of the plot-only embedding [M]")
    year_functions: Natural = Field(13, description="radial functions of the year; 0 leaves the year out [M]")
    bias_weight: NonNegative = Field(
        0.3,
        description="c in E_D = [W x, c bias]: how much general appeal counts [M: 70% of its gain in ranking, personal part 1.6 times as large]",
    )


class UtilityConfig(Section):
    preference_weight: NonNegative = Field(1.0, description="weight of <z_u, z> [P 5.2]")
    distance_weight: NonNegative = Field(
        0.1, description="lambda: weight of the distance to the catalogue [P 5.2; value open]"
    )
    neighbours: Count = Field(3, description="nearest catalogue items in the distance [P 5.2]")
    distance: Literal["novelty", "paper"] = Field(
        "novelty",
        description="paper: sum of the distances; novelty: relative to the spacing of the neighbourhood [M: the sum grows with the norm of z]",
    )
    standardize: bool = Field(
        True,
        description="divide each part by its SD over the encoded catalogue before weighing [M: the raw distance is a norm bonus]",
    )


class ProfilesConfig(Section):
    origin: Literal["ratings", "llm"] = Field(
        "ratings", description="derived from the user's vector, or written by the LLM from the history [P]"
    )
    liked: Count = Field(4, description="genres named as liked in the policy's prompt [M]")
    disliked: Count = Field(4, description="genres named as disliked [M]")
    history: Count = Field(
        12, description="origin llm: rated items shown to the LLM, those furthest from the user's mean [O: time]"
    )
    written: Natural = Field(
        0,
        description="origin llm: write at most this many profiles, half of them of training users, from whom the check learns; 0 writes all [O: time]",
    )


class ActionsConfig(Section):
    per_anchor: Count = Field(26, description="K candidate actions per anchor [P: 100; M: 24; O: time on two cores]")
    personalized_share: Fraction = Field(0.5, description="share of candidates made for a taste [P: half]")
    llm_written: Natural = Field(
        2,
        description="of the K, how many the LLM writes for this anchor; the rest come from our seeds [O: the small model repeats itself]",
    )
    train_anchors: Count = Field(22, description="anchors from training items whose transitions are cached [M]")
    validation_anchors: Natural = Field(3, description="anchors from validation items, for choosing settings [O]")
    temperature: NonNegative = Field(
        0.7, description="sampling temperature of written actions [O: above it the small model drifts]"
    )


class TransitionsConfig(Section):
    samples: Count = Field(1, description="next texts per (state, action) [M: several; O: pooled over anchors instead]")
    second_steps: Natural = Field(
        0, description="per anchor, how many first-step texts are expanded again, each with second_actions actions [M]"
    )
    second_actions: Count = Field(10, description="actions tried from each expanded text [O]")


class PaperSampler(Section):
    """The paper's rejection sampler, for comparison (docs/method.md says why it is ill-posed)."""

    subset: Count = Field(10, description="k actions in the support [P]")
    factor: Positive = Field(1.0, description="C of the acceptance test max norm <= C n [P]")
    supremum: Literal["all", "subset"] = Field(
        "subset", description="over which actions the maximum is taken [P: open]"
    )
    inverse: Literal["exact", "pseudo"] = Field("pseudo", description="how Sigma is inverted [P: open]")
    tries: Count = Field(1000, description="draws before the best subset seen is taken [O]")


class DesignConfig(Section):
    method: Literal["certified", "paper"] = Field(
        "certified", description="solver of the G-optimal design [O: certified]"
    )
    tolerance: Positive = Field(1e-3, description="certificate: max norm <= (1 + tolerance) rank [O]")
    projection: Natural = Field(
        6,
        description="principal directions of the anchor's next-step vectors kept; 0 keeps all [O: K must be well above n]",
    )
    centre: Literal["none", "anchor"] = Field(
        "none", description="what is taken off the next-step vectors: nothing [P], or the anchor's own vector [O]"
    )
    paper: PaperSampler = Field(PaperSampler(), description="settings of the paper's sampler")


class LLMConfig(Section):
    model: str = Field("embedded", description="'embedded', a local folder, a .gguf file, or a hub id 'name@revision'")
    engine: Literal["auto", "torch", "openai"] = Field(
        "auto", description="who generates; auto takes torch unless an endpoint is set"
    )
    dtype: Literal["float32", "bfloat16", "auto"] = Field(
        "auto", description="weights and arithmetic; auto: bfloat16 where the processor has it"
    )
    device: str = Field("auto", description="torch device; auto: cuda, else cpu")
    batch_rows: Count = Field(64, description="rows decoded together; on a processor each thread may have as many [M]")
    temperature: NonNegative = Field(0.7, description="environment's temperature [P: 0.5; M: fewer copies at 0.7]")
    top_p: Fraction = Field(0.95, description="nucleus of environment and agent [O]")
    max_new_tokens: Count = Field(64, description="longest next text, tokens [M]")
    endpoint: str | None = Field(None, description="engine openai: base address, such as http://localhost:8000/v1")
    endpoint_model: str | None = Field(
        None, description="engine openai: model name at the endpoint; none takes the model folder's"
    )
    endpoint_adapters: Literal["local", "served"] = Field(
        "local",
        description="engine openai: who runs the agents' LoRA adapters, torch here or the endpoint, each under a name of its own",
    )
    requests: Count = Field(16, description="engine openai: requests under way at once", json_schema_extra=IDLE)
    timeout: Positive = Field(
        300.0, description="engine openai: seconds to wait for one answer", json_schema_extra=IDLE
    )
    retries: Natural = Field(
        8,
        description="engine openai: further tries of a failed request, after waits that double: 2 minutes in all [O]",
        json_schema_extra=IDLE,
    )
    token_budget: Natural = Field(
        0,
        description="engine openai: tokens that one stage may read and write there; 0 sets no limit",
        json_schema_extra=IDLE,
    )
    failures_at_most: Fraction = Field(
        0.05,
        description="engine openai: share of texts without an answer after all retries, above which the stage stops [O]",
        json_schema_extra=IDLE,
    )
    cache: bool = Field(
        True,
        description="remember every generated text in .cache/completions.sqlite, which changes no result [O]",
        json_schema_extra=IDLE,
    )
    shard_rows: Count = Field(
        320,
        description="rows that one worker generates together, several full batches; alike for any number of workers [M: a minute's work]",
    )
    cluster: str | None = Field(
        None,
        description="where shards are generated: null in this process, 'local' in Ray workers on this machine, else a Ray cluster's address",
        json_schema_extra=IDLE,
    )
    workers: Count = Field(
        1,
        description="processes on the cluster, each with the model open and a GPU where there are some",
        json_schema_extra=IDLE,
    )

    @property
    def on_one_machine(self) -> bool:
        """Is all work done on this machine?"""
        return self.cluster in (None, LOCAL)


class LoraSettings(Section):
    rank: Count = Field(16, description="r [M]")
    alpha: Positive = Field(32.0, description="scale alpha [M]")
    dropout: Fraction = Field(0.0, description="dropout on the adapter [P: 0.1; M: 0]")


class ReferenceConfig(Section):
    names: tuple[ReferenceName, ...] = Field(
        ("uniform", "optimistic", "g_optimal"), description="which references are trained [P]"
    )
    updates: Count = Field(18, description="gradient steps [P: 20,000; M: 14]")
    prompts: Count = Field(
        4,
        description="(anchor, user) prompts per step [P: batch 1,024; M: 4; 24 steps of 2 end as near to the target, but what EAGLE learns from there is worth half]",
    )
    actions: Natural = Field(
        13,
        description="actions of a prompt's target that one step imitates, at most, drawn by their weight; 0 takes all [O: time; no design of the default has more]",
    )
    learning_rate: Positive = Field(
        1e-3,
        description="AdamW [P: 2e-6 on a 3B model; M: 1e-3 for LoRA; 2e-3 is faster, but leaves a reference with half the entropy]",
    )
    optimistic_by: Literal["utility", "rating"] = Field("utility", description="what 'best next step' means [P: both]")
    history: Natural = Field(
        0,
        description="used actions named in the prompt, at most; 0 never names any, and repetition is prevented where the agent acts "
        "[M: with 2, changes after the first gained nothing]",
    )
    single_cell_weight: Fraction = Field(
        0.12, description="optimistic: weight of one (anchor, action) cell against the pooled estimate [M]"
    )
    lora: LoraSettings = Field(LoraSettings(), description="adapter")


class AllActionPhase(Section):
    """Policy gradient in expectation over the K candidates of cached states: no sampling, no generation."""

    kind: Literal["all_action"] = "all_action"
    objective: Literal["gradient", "closed_form"] = Field(
        "closed_form",
        description="gradient of E[Q] - alpha KL, or cross-entropy to its maximiser pi_ref exp(Q / alpha) / Z "
        "[M: the first ranks second and third choices worse on validation pairs, and with seed 7 it takes one action for everybody]",
    )
    updates: Natural = Field(
        80, description="gradient steps [M: 60; 110 gain 4% more on validation pairs, 80 within the noise]"
    )
    pairs: Count = Field(10, description="(state, user) pairs per step [M: 16; O: time]")
    pool: Count = Field(
        400,
        description="pairs drawn once, from which every step takes its own; the reference scores each of them once [O: a third of the time of a step]",
    )
    learning_rate: Positive = Field(6e-4, description="AdamW, after the warm-up [M]")
    warmup: Natural = Field(5, description="steps of linear warm-up [M]")
    decay: Literal["linear", "none"] = Field(
        "linear",
        description="the learning rate falls to zero by the last step, or stays [M: with none the gain went up and down by a third between steps 40 and 60]",
    )
    advantage_scale: Positive = Field(0.1, description="advantages (in SD of U) are divided by this [M]")
    listed_mass: NonNegative = Field(0.5, description="weight of -log(probability mass on listed actions) [M]")
    repair_every: Natural = Field(
        10,
        description="every so many steps one step of full-vocabulary cross-entropy to the policy's own distribution; 0 never [M: keeps free text valid]",
    )
    single_cell_weight: Fraction = Field(
        0.12, description="weight of one (anchor, action) cell against the pooled estimate [M]"
    )
    taste: Literal["profile", "user"] = Field(
        "profile",
        description="whose taste values an action: E[z_u | profile], all that the policy is told, or the user's own z_u [P] [M: validation pairs]",
    )
    lookahead: Count = Field(
        1,
        description="changes planned ahead in the latent space for an action's value, up to 3; 1 is the one-step value [M: planned ones tell users apart half as much]",
    )
    contrast_updates: Natural = Field(
        20,
        description="first updates that take off an action's mean advantage over all users of the batch; 0 never [M: on a planted problem with one action that all like, 3 seeds, gain .40 instead of .27 to .35]",
    )


class OnPolicyPhase(Section):
    """Free-text rollouts in the environment: the paper's REINFORCE with value baseline and GAE."""

    kind: Literal["on_policy"] = "on_policy"
    updates: Natural = Field(0, description="gradient steps [P: 30,000]")
    episodes: Count = Field(16, description="episodes per step")
    rollouts_per_pair: Count = Field(4, description="episodes that share their (anchor, user)")
    learning_rate: Positive = Field(1e-4, description="policy [P: 1e-5 on a 3B model]")
    value_learning_rate: Positive = Field(1e-3, description="value head [P: 5e-6]")
    warmup: Natural = Field(2, description="steps of linear warm-up")
    baseline: Literal["value", "leave_one_out"] = Field(
        "value", description="what the return is compared with [P: value]"
    )
    gae_lambda: Fraction = Field(0.95, description="lambda of GAE [P leaves it open]")
    advantage_scale: Positive = Field(1.0, description="advantages are divided by this")
    epsilon: Fraction = Field(
        0.0, description="probability of a design-drawn action instead of the policy's own [arXiv 2405.19883]"
    )
    max_failures: Fraction = Field(
        0.5, description="share of failed episodes at which training stops with an error [O]"
    )


Phase = Annotated[AllActionPhase | OnPolicyPhase, Field(discriminator="kind")]


class TrainConfig(Section):
    arms: tuple[ReferenceName, ...] = Field(
        ("g_optimal",), description="references that EAGLE starts from, one arm each"
    )
    phases: tuple[Phase, ...] = Field((AllActionPhase(),), description="run in this order")
    horizon: Count = Field(3, description="H, changes per episode [P: 5; M: 3 with a small model]")
    gamma: Fraction = Field(1.0, description="discount [P: 1]")
    reward: Literal["end", "step"] = Field(
        "step",
        description="U(x_H) at the end, or U(x_t+1) - U(x_t) at each step: the same objective at gamma 1 [P: end; M: step]",
    )
    repeat_actions: bool = Field(False, description="may an episode use one action twice [P: yes; M: no]")
    kl_coefficient: NonNegative = Field(
        0.04,
        description="alpha, weight of KL(policy || reference), with advantages in SD of U [P: 0.1; M: sharper goals for closed_form]",
    )
    temperature: Positive = Field(0.5, description="agent's temperature in rollouts [P: 0.5]")
    checkpoint_every: Count = Field(30, description="updates between checkpoints")
    processes: Count = Field(
        1,
        description="processes that share each update, a GPU each where there are some; sums are rounded differently [O: one device]",
    )
    lora: LoraSettings = Field(LoraSettings(), description="adapter")


class EvaluateConfig(Section):
    anchors: Count = Field(10, description="held-out anchors [M: 12; O: time]")
    users: Count = Field(10, description="held-out users [M: 16; O: time]")
    horizon: Count = Field(3, description="H of every arm [P: 5; M: 3]")
    temperature: NonNegative = Field(0.5, description="agent's temperature; 0 is greedy [P: 0.5]")
    bootstrap: Count = Field(2000, description="resamples of anchors and users")
    confidence: Fraction = Field(0.95, description="level of the intervals")
    listed_arms: bool = Field(False, description="also run every EAGLE arm restricted to the listed actions [O: time]")
    macro: bool = Field(
        False, description="also apply each EAGLE arm's actions in one environment call [P Table 4; O: time]"
    )
    other_temperature: float | None = Field(
        None,
        ge=0,
        description="also test each EAGLE arm where the environment has this temperature [P Table 3; O: time]",
    )
    other_model: str | None = Field(
        None,
        description="also test each EAGLE arm where this folder (transformers' layout) is the environment's model [P Table 3; O: time]",
    )
    split: Literal["test", "validation"] = Field(
        "test", description="which held-out anchors and users; tune on validation only"
    )


class BoundsConfig(Section):
    distinct_actions: Count = Field(
        4, description="least number of different actions over the held-out cases [O: 16 to 19 seen]"
    )
    valid_actions: Fraction = Field(0.9, description="least share of valid actions [O: all seen]")
    mutual_information: NonNegative = Field(
        0.02,
        description="least information between user and action, nats [O: .3 to .5 seen; .002 where one action served everybody]",
    )
    defects: Fraction = Field(0.1, description="largest share of failed changes [O: 1% to 3% seen]")
    copies: Fraction = Field(0.1, description="largest share of copied texts [O: up to 1% seen]")
    kl: Positive = Field(5.0, description="largest KL(policy || reference) at the last update, nats [O: 1.0 seen]")


class RegistryConfig(Section):
    experiment: str = Field("eagle", description="MLflow experiment")
    model: str = Field("eagle-agent", description="registered model")
    tracking_uri: str = Field("sqlite:///mlruns/mlflow.db", description="MLflow store")
    bounds: BoundsConfig = Field(
        BoundsConfig(),
        description="what a gain must not be bought with; an agent outside is marked and replaces no champion",
    )


class Config(Section):
    """The whole of params.yaml."""

    seed: int = Field(7, ge=0, description="the one seed; every random stream is derived from it by name")
    data: DataConfig = Field(DataConfig(), description="where ratings and items come from")
    split: SplitConfig = Field(SplitConfig(), description="what is held out")
    factors: FactorsConfig = Field(FactorsConfig(), description="weighted ALS on ratings alone")
    describe: DescribeConfig = Field(DescribeConfig(), description="texts of the catalogue")
    encoder: EncoderConfig = Field(EncoderConfig(), description="E_D, from text to latent space")
    utility: UtilityConfig = Field(UtilityConfig(), description="U(z; D)")
    profiles: ProfilesConfig = Field(ProfilesConfig(), description="what the agent is told about a user")
    actions: ActionsConfig = Field(ActionsConfig(), description="candidate actions")
    transitions: TransitionsConfig = Field(TransitionsConfig(), description="cached next texts")
    design: DesignConfig = Field(DesignConfig(), description="G-optimal exploration design")
    llm: LLMConfig = Field(LLMConfig(), description="the frozen language model: environment and base of the policy")
    reference: ReferenceConfig = Field(ReferenceConfig(), description="reference policies by SFT")
    train: TrainConfig = Field(TrainConfig(), description="EAGLE")
    evaluate: EvaluateConfig = Field(EvaluateConfig(), description="held-out comparison of all arms")
    registry: RegistryConfig = Field(RegistryConfig(), description="MLflow")

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        missing = [arm for arm in self.train.arms if arm not in self.reference.names]
        if missing:
            raise ValueError(f"train.arms names {missing}, which reference.names does not train")
        if self.train.kl_coefficient == 0 and any(
            p.kind == "all_action" and p.objective == "closed_form" for p in self.train.phases
        ):
            raise ValueError(
                "train.kl_coefficient 0 has no closed form: set it above 0, or the phase's objective to gradient"
            )
        if self.llm.workers > 1 and self.llm.cluster is None:
            raise ValueError("llm.workers above 1 needs llm.cluster: 'local', or the address of a Ray cluster")
        if self.llm.cluster is not None and self.llm.endpoint is not None:
            raise ValueError("llm.cluster and llm.endpoint: an endpoint spreads its work itself, so set one of them")
        if self.split.test_items + self.split.validation_items >= 1:
            raise ValueError("split.test_items + split.validation_items leave no items for training")
        if self.split.test_users + self.split.validation_users >= 1:
            raise ValueError("split.test_users + split.validation_users leave no users for training")
        return self

    def only(self, sections: Iterable[str]) -> Config:
        """Return a view in which any section but the named ones raises when touched.

        A stage gets only what dvc.yaml says that it reads, so a forgotten dependency cannot hide.
        """
        view = _Restricted.model_construct(**dict(self))
        object.__setattr__(view, "_allowed_sections", frozenset(sections))
        return view


class _Restricted(Config):
    def __init__(self, **data: Any) -> None:  # pragma: no cover - built by model_construct only
        raise TypeError("use Config.only")

    def __getattribute__(self, name: str) -> Any:
        if name in Config.model_fields:
            allowed = object.__getattribute__(self, "__dict__").get("_allowed_sections", frozenset())
            if name not in allowed:
                raise RuntimeError(f"this stage reads params section {name!r}, which dvc.yaml does not name for it")
        return super().__getattribute__(name)


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """Names that would have been right at the place of an unknown key."""
    model: Any = Config
    for part in location[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return []
        model = field.annotation
    return list(getattr(model, "model_fields", {}))


def _problem(error: Any, source: Path) -> Problem:
    location = tuple(error["loc"])
    dotted = ".".join(str(part) for part in location) or "the whole file"
    if error["type"] == "extra_forbidden":
        known = _known_keys(location)
        return Problem(
            f"{source}: unknown parameter {dotted}",
            expected=f"one of {', '.join(known)}" if known else "",
            mend=did_you_mean(str(location[-1]), known),
        )
    found = "" if isinstance(error["input"], dict | BaseModel) else repr(error["input"])
    return Problem(f"{source}: {dotted}: {error['msg'].removeprefix('Value error, ')}", found=found)


def parse_config(values: Any, source: Path = Path("params.yaml")) -> Config:
    """Check a mapping and return the :class:`Config`; all problems are in one :class:`EagleError`."""
    if not isinstance(values, dict):
        raise user_error(f"{source} should be a mapping of sections", found=type(values).__name__)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise EagleError(_problem(e, source) for e in error.errors()) from None


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice in one section: YAML would silently take the last (pasted lines above the old ones)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in names:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} stands twice in one section", problem_mark=key.start_mark
                )
            names.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_values(path: Path) -> Any:
    """Return what a YAML file of parameters holds, unchecked."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise user_error(f"{path} does not exist", mend="run the command from the project's root folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise user_error(f"{path} is not valid YAML", found=error) from None


def load_config(path: Path = Path("params.yaml")) -> Config:
    """Read params.yaml."""
    return parse_config(read_values(path), path)
