"""Whether a folder holds a whole model or adapter that can be opened. Nothing here decides a text."""

from __future__ import annotations

import json
from pathlib import Path

from eagle.core.artifacts import read_json
from eagle.core.errors import EagleError, Problem, user_error


def check_model_folder(folder: Path, *, chat: bool) -> None:
    """Raise :class:`EagleError` with everything that a model folder lacks."""
    problems = []
    if not (folder / "config.json").is_file():
        problems.append(Problem(f"{folder} has no config.json", expected="a model folder in transformers' layout"))
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(p.name for p in (*folder.glob("*.bin"), *folder.glob("*.pt")))
        problems.append(
            Problem(
                f"{folder} has no weights",
                found=", ".join(pickled) if pickled else "no *.safetensors file",
                expected="model.safetensors (pickled weights are not read: they could run code)",
                mend="save the model again with save_pretrained, or download it with its weights",
            )
        )
    problems += [broken for path in sorted(folder.glob("*.safetensors")) if (broken := _broken(path))]
    if not (folder / "tokenizer.json").is_file():
        problems.append(
            Problem(
                f"{folder} has no tokenizer.json", mend="save the model's fast tokenizer there with save_pretrained"
            )
        )
    elif chat and not _has_chat_template(folder):
        problems.append(
            Problem(
                f"{folder} has no chat template", mend="take an instruction-tuned model, or add chat_template.jinja"
            )
        )
    if problems:
        raise EagleError(problems)


def check_adapter_folder(folder: Path, base: str) -> None:
    """Raise :class:`EagleError` where a folder holds no whole LoRA adapter, or one of another model than that with the
    hash ``base``.
    """
    weights, settings = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    if not (weights.is_file() and settings.is_file()):
        raise user_error(
            f"{folder} holds no LoRA adapter",
            found=", ".join(sorted(path.name for path in folder.glob("*"))) or "no files",
            expected="adapter_config.json and adapter_model.safetensors",
            mend="run `dvc repro` to train it",
        )
    if (broken := _broken(weights)) is not None:
        raise EagleError(broken)
    named = str(read_json(settings).get("base_model_name_or_path"))  # `eagle:HASH` in what this project trained
    if named.startswith("eagle:") and named != f"eagle:{base}":
        raise other_model(folder, named.removeprefix("eagle:"), base)


def other_model(adapter: Path, found: str, expected: str) -> EagleError:
    """Return the error for an adapter of a model with another hash than the one that is here."""
    return user_error(
        f"the adapter in {adapter} belongs to another language model",
        found=f"base {found}",
        expected=f"base {expected}",
        mend="run `dvc repro` to train it for this model, or set llm.model back",
    )


def _broken(weights: Path) -> Problem | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy"):  # reads the header and compares it with the file's length
            return None
    except SafetensorError as error:
        return Problem(f"{weights} is not a whole safetensors file", str(error), mend="download or copy it again")


def _has_chat_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    settings = folder / "tokenizer_config.json"
    return settings.is_file() and "chat_template" in json.loads(settings.read_text(encoding="utf-8"))
