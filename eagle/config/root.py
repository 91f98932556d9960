"""The whole of params.yaml, and the view of it that a stage gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field, model_validator

from eagle.config.actions import ActionsConfig, DesignConfig, TransitionsConfig
from eagle.config.adapting import EnvironmentConfig
from eagle.config.base import Section
from eagle.config.data import DataConfig, DomainConfig, SplitConfig
from eagle.config.elm import ElmConfig
from eagle.config.environment import DescribeConfig, LLMConfig, ProfilesConfig
from eagle.config.evaluation import EvaluateConfig
from eagle.config.kinds import seeded
from eagle.config.latent import EncoderConfig, FactorsConfig, UtilityConfig
from eagle.config.quality import QualityConfig
from eagle.config.registry import RegistryConfig
from eagle.config.training import ReferenceConfig, TrainConfig


class Config(Section):
    """The whole of params.yaml."""

    seed: int = Field(7, ge=0, description="the one seed; every random stream is derived from it by name")
    data: DataConfig = Field(DataConfig(), description="where ratings and items come from")
    domain: DomainConfig = Field(DomainConfig(), description="what the catalogue is about")
    split: SplitConfig = Field(SplitConfig(), description="what is held out")
    factors: FactorsConfig = Field(FactorsConfig(), description="weighted ALS on ratings alone")
    describe: DescribeConfig = Field(DescribeConfig(), description="texts of the catalogue")
    quality: QualityConfig = Field(QualityConfig(), description="which texts are whole")
    encoder: EncoderConfig = Field(EncoderConfig(), description="E_D, from text to latent space")
    utility: UtilityConfig = Field(UtilityConfig(), description="U(z; D)")
    profiles: ProfilesConfig = Field(ProfilesConfig(), description="what the agent is told about a user")
    actions: ActionsConfig = Field(ActionsConfig(), description="candidate actions")
    transitions: TransitionsConfig = Field(TransitionsConfig(), description="cached next texts")
    design: DesignConfig = Field(DesignConfig(), description="G-optimal exploration design")
    llm: LLMConfig = Field(LLMConfig(), description="the frozen language model: environment and base of the policy")
    environment: EnvironmentConfig = Field(EnvironmentConfig(), description="the environment adapted to the catalogue")
    reference: ReferenceConfig = Field(ReferenceConfig(), description="reference policies by SFT")
    train: TrainConfig = Field(TrainConfig(), description="EAGLE")
    elm: ElmConfig = Field(ElmConfig(), description="ELM, a baseline that decodes latent points")
    evaluate: EvaluateConfig = Field(EvaluateConfig(), description="held-out comparison of all arms")
    registry: RegistryConfig = Field(RegistryConfig(), description="MLflow")

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        missing = [arm for arm in self.train.arms if arm not in self.reference.names]
        if missing:
            raise ValueError(f"train.arms names {missing}, which reference.names does not train")
        for section, names in (("reference.names", self.reference.names), ("train.arms", self.train.arms)):
            if alike := self._more_than_once(names):
                raise ValueError(f"{section} names {', '.join(alike)}: one training twice, as seed is {self.seed}")
        if self.train.kl_coefficient == 0 and any(
            p.kind == "all_action" and p.objective == "closed_form" for p in self.train.phases
        ):
            raise ValueError(
                "train.kl_coefficient 0 has no closed form: set it above 0, or the phase's objective to gradient"
            )
        if "panel" not in self.evaluate.judges:
            raise ValueError("evaluate.judges has to name the panel; judges of your own stand beside it")
        if self.environment.adapt is True and not self.llm.trainable:
            raise ValueError(
                "environment.adapt trains the model's own weights, which only the engine torch has: set it to false, "
                "or llm.engine to torch"
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

    def _more_than_once(self, names: Sequence[str]) -> list[str]:
        """Return the names that ask for a training that another one asks for too."""
        wanted = [(imitated, self.seed if seed is None else seed) for imitated, seed in map(seeded, names)]
        return [name for name, own in zip(names, wanted, strict=True) if wanted.count(own) > 1]

    def only(self, sections: Iterable[str]) -> Config:
        """Return a view in which any section but the named ones raises when touched.

        A stage gets only what dvc.yaml says that it reads, so a forgotten dependency cannot hide.
        """
        view = _Restricted.model_construct(**dict(self))
        object.__setattr__(view, "_allowed_sections", frozenset(sections))
        return view


def with_seed_of(config: Config, name: str) -> tuple[Config, str]:
    """Return the parameters with the seed that a reference's name asks for, and what it imitates.

    So g_optimal_seed8 becomes what g_optimal is where ``seed`` is 8 in training and as it was in all before.
    """
    imitated, seed = seeded(name)
    return (config if seed is None else config.model_copy(update={"seed": seed})), imitated


class _Restricted(Config):
    def __init__(self, **data: Any) -> None:  # pragma: no cover - built by model_construct only
        raise TypeError("use Config.only")

    def __getattribute__(self, name: str) -> Any:
        if name in Config.model_fields:
            allowed = object.__getattribute__(self, "__dict__").get("_allowed_sections", frozenset())
            if name not in allowed:
                raise RuntimeError(f"this stage reads params section {name!r}, which dvc.yaml does not name for it")
        return super().__getattribute__(name)
