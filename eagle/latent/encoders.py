"""How the encoder that params.yaml names is found, and the one that a project was made with is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eagle.built_in.encoders import ENCODERS
from eagle.core.artifacts import content_hash, read_json, write_json
from eagle.core.errors import user_error
from eagle.core.parts import load_part
from eagle.latent.base import Encoder

DESCRIPTION = "encoder.json"


def encoder_class(kind: str) -> type[Encoder]:
    """Return the class that ``encoder.kind`` names; EagleError where there is none."""
    found: type[Encoder] = load_part("encoder", kind, ENCODERS)
    return found


def save_encoder(encoder: Encoder, folder: Path, description: Mapping[str, Any]) -> None:
    """Write an encoder and encoder.json: what it is (``kind``) and what it was made with (``text_model``)."""
    encoder.save(folder)
    write_json(folder / DESCRIPTION, description)


def load_encoder(folder: Path, text_model: Path, *, remember: bool = True) -> Encoder:
    """Open the encoder in ``folder`` over the sentence model that it was made with (another one is an EagleError).

    ``remember``: embed an equal text once. A remembered vector differs in its last bits from one that is computed in
    another batch, so work that must resume identically goes without.
    """
    from eagle.latent.sentence import Remembered, SentenceModel

    description = read_json(folder / DESCRIPTION)
    made_with, found = description.get("text_model"), text_model_fingerprint(text_model)
    if made_with != found:
        raise user_error(
            f"{folder} was made with another sentence model than {text_model}",
            found=found,
            expected=made_with,
            mend="run `dvc repro encoder`",
        )
    model = SentenceModel(text_model)
    return encoder_class(description["kind"]).load(folder, Remembered(model) if remember else model)


def text_model_fingerprint(folder: Path) -> str:
    """Return a hash of the weights, 'absent' where there are none."""
    files = sorted(Path(folder).glob("*.safetensors"))
    return "-".join(content_hash(file) for file in files) or "absent"
