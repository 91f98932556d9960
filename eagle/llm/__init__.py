"""The language-model seam: one protocol, several engines, the prompts of the environment."""

from eagle.llm.base import Completion, LanguageModel, SamplingSpec, Usage

__all__ = ["Completion", "LanguageModel", "SamplingSpec", "Usage"]
