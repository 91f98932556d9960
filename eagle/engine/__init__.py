"""The language-model seam: one protocol, several engines."""

from eagle.engine.base import Completion, LanguageModel, SamplingSpec, Usage

__all__ = ["Completion", "LanguageModel", "SamplingSpec", "Usage"]
