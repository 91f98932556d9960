"""Stage ``quality``: calibrates the gates of whole texts on the catalogue's own texts and says what they exclude.

The limits come from training items; the share of validation items' texts beyond them, which played no part, is beside
each.
"""

from __future__ import annotations

import sys
from typing import Any

from eagle.config import Config
from eagle.core.artifacts import write_json
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.data.stored import read_item_split
from eagle.domains.open import domain_of
from eagle.quality.gates import TextGates
from eagle.quality.measures import example_bodies
from eagle.quality.stored import own_texts


def run(config: Config, project: Project) -> None:
    """Write models/quality.json and reports/stages/quality.json."""
    descriptions, splits = Descriptions.load(project.descriptions), read_item_split(project.split_files.items)
    items = {str(name): frozenset(part["item"]) for name, part in splits.groupby("split")}
    gates = TextGates.fit(
        own_texts(descriptions, items.get("train", frozenset())),
        percentile=config.quality.percentile,
        catalogue=own_texts(descriptions),
        examples=example_bodies(domain_of(config)),
        names=config.quality.names,
        select=config.quality.select,
    )
    if gates.note:
        print(f"quality: {gates.note}", file=sys.stderr, flush=True)
    gates.limits.save(project.quality)
    unseen = own_texts(descriptions, items.get("validation", frozenset()))
    write_json(project.stage_metrics("quality"), summary(gates, unseen))


def summary(gates: TextGates, unseen: list[str]) -> dict[str, Any]:
    """Return limits and shares by gate; ``unseen``: real texts that the gates were not calibrated on."""
    limits, beyond = gates.limits, gates.exceeded(unseen, unseen)
    broken = {"validation texts": len(unseen), "broken": float(gates.broken(unseen, unseen).mean())} if unseen else {}
    return {
        "texts": limits.texts,
        "note": gates.note,
        "gates": {
            gate: {
                "most": most,
                "selects": gate in gates.select,
                "excluded": limits.excluded[gate],
                "excluded of validation": float(beyond[gate].mean()) if unseen else None,
            }
            for gate, most in limits.most.items()
        },
        **broken,
    }
