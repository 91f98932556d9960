"""The sections about the latent space: factors, the encoder E_D, the utility U(z; D)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eagle.config.base import Count, Natural, NonNegative, Positive, Section
from eagle.config.kinds import EncoderKind, UtilityKind


class FactorsConfig(Section):
    dimension: Count = Field(12, description="n, length of an item vector [M]")
    regularization: Positive = Field(10.0, description="L2 penalty on user and item vectors, in ratings [M]")
    iterations: Count = Field(12, description="alternating sweeps [O: converged]")
    missing_weight: NonNegative = Field(
        0.0,
        description="weight of an unobserved rating at the user's mean; 0 fits observed ratings only [P leaves it "
        "open]",
    )
    engine: Literal["numpy", "spark"] = Field(
        "numpy",
        description="who factorises: this process, or Spark MLlib's ALS (extra spark; Spark's own settings say where) "
        "[M: 25M ratings fit one machine]",
    )


class EncoderConfig(Section):
    kind: EncoderKind = Field("joint_hybrid", description="joint hybrid [M]; two_stage is the paper's [P 5.1]")
    rounds: Count = Field(
        3,
        description="alternations of the joint hybrid [M: 3 ranks unseen items better than 6 or 10; stopping early "
        "regularises]",
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
        description="c in E_D = [W x, c bias]: how much general appeal counts [M: 70% of its gain in ranking, "
        "personal part 1.6 times as large]",
    )


class NoveltyConfig(Section):
    kind: Literal["constraint", "sum"] = Field(
        "constraint",
        description="constraint: a text has to be new enough, and then preference alone decides; sum: the distance is "
        "added to the preference [P 5.2; M: people confirm what preference wins, not what distance wins]",
    )
    least: NonNegative = Field(
        0.85,
        description="least distance of a text that is new enough, in the unit of utility.distance (novelty: 1 = as "
        "lonely as its neighbours are) [O: of 20 real items 19 are farther from the rest]",
    )


class UtilityConfig(Section):
    kind: UtilityKind = Field(
        "paper", description="paper: preference, and the distance too where novelty.kind is sum [P 5.2]"
    )
    preference_weight: NonNegative = Field(1.0, description="weight of <z_u, z> [P 5.2]")
    distance_weight: NonNegative = Field(
        0.1, description="lambda: weight of the distance to the catalogue in a sum [P 5.2; value open]"
    )
    novelty: NoveltyConfig = Field(NoveltyConfig(), description="what distance does")
    neighbours: Count = Field(3, description="nearest catalogue items in the distance [P 5.2]")
    distance: Literal["novelty", "paper"] = Field(
        "novelty",
        description="paper: sum of the distances; novelty: relative to the spacing of the neighbourhood [M: the sum "
        "grows with the norm of z]",
    )
    standardize: bool = Field(
        True,
        description="divide each part by its SD over the encoded catalogue before weighing [M: the raw distance is a "
        "norm bonus]",
    )

    @property
    def weight_of_distance(self) -> float:
        """Weight of the distance in U: none where novelty is a constraint."""
        return self.distance_weight if self.novelty.kind == "sum" else 0.0
