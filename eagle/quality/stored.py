"""A project's gates, from what its stages have written."""

from __future__ import annotations

from eagle.config import Config
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.domains.open import domain_of
from eagle.quality.gates import Limits, TextGates
from eagle.quality.measures import example_bodies


def load_gates(project: Project, config: Config) -> TextGates:
    """Return the gates that stage ``quality`` calibrated; reads the sections data, domain and quality.

    EagleError where it has not run.
    """
    return TextGates(
        Limits.load(project.quality),
        catalogue=own_texts(Descriptions.load(project.descriptions)),
        examples=example_bodies(domain_of(config)),
        names=config.quality.names,
        select=config.quality.select,
    )


def own_texts(descriptions: Descriptions, items: frozenset[str] | None = None) -> list[str]:
    """Return the texts that come from the source, of all items or of these; none that a language model wrote."""
    table = descriptions.table
    rows = table[(table["origin"] == "source").to_numpy() & (table["plot"] != "").to_numpy()]
    kept = rows if items is None else rows[rows["item"].isin(items)]
    return [str(text) for text in kept["text"]]
