"""Typed, frozen view of params.yaml. Every problem in the file is reported at once.

Each field says what it means, its unit and where its default comes from: [P] the paper, [M] measured on the
embedded default (docs/method.md), [O] ours, with the reason.
"""

from __future__ import annotations

from eagle.config.actions import ActionsConfig, DesignConfig, PaperSampler, TransitionsConfig
from eagle.config.adapting import EnvironmentConfig
from eagle.config.base import IDLE, Count, Fraction, Natural, NonNegative, Positive, Section
from eagle.config.data import DataConfig, DomainConfig, FileColumns, OwnFiles, SplitConfig
from eagle.config.elm import ElmConfig
from eagle.config.environment import LOCAL, DescribeConfig, LLMConfig, ProfilesConfig
from eagle.config.evaluation import EvaluateConfig
from eagle.config.kinds import ReferenceName, seeded
from eagle.config.latent import EncoderConfig, FactorsConfig, NoveltyConfig, UtilityConfig
from eagle.config.load import load_config, parse_config, read_values
from eagle.config.quality import GateName, QualityConfig
from eagle.config.registry import BoundsConfig, RegistryConfig
from eagle.config.root import Config, with_seed_of
from eagle.config.training import (
    AllActionPhase,
    LoraSettings,
    OnPolicyPhase,
    Phase,
    ReferenceConfig,
    SelectionPhase,
    TrainConfig,
)

__all__ = [
    "IDLE",
    "LOCAL",
    "ActionsConfig",
    "AllActionPhase",
    "BoundsConfig",
    "Config",
    "Count",
    "DataConfig",
    "DescribeConfig",
    "DesignConfig",
    "DomainConfig",
    "ElmConfig",
    "EncoderConfig",
    "EnvironmentConfig",
    "EvaluateConfig",
    "FactorsConfig",
    "FileColumns",
    "Fraction",
    "GateName",
    "LLMConfig",
    "LoraSettings",
    "Natural",
    "NonNegative",
    "NoveltyConfig",
    "OnPolicyPhase",
    "OwnFiles",
    "PaperSampler",
    "Phase",
    "Positive",
    "ProfilesConfig",
    "QualityConfig",
    "ReferenceConfig",
    "ReferenceName",
    "RegistryConfig",
    "Section",
    "SelectionPhase",
    "SplitConfig",
    "TrainConfig",
    "TransitionsConfig",
    "UtilityConfig",
    "load_config",
    "parse_config",
    "read_values",
    "seeded",
    "with_seed_of",
]
