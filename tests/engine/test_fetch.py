"""Models put in place: what is copied, what is refused, and that mistakes leave nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from eagle.config import Config, LLMConfig
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.engine import fetch
from eagle.engine.gguf import check_reads_english, quick_reader
from tests.tiny import build_tiny_text_encoder


def test_a_local_folder_is_copied_without_what_could_run_code(tiny_llm: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(tiny_llm, source)
    (source / "modeling.py").write_text("print('code')")
    (source / "optimizer.bin").write_bytes(b"pickle")
    fetch.install_llm(str(source), tmp_path / "llm")
    assert not {p.name for p in (tmp_path / "llm").iterdir()} & {"modeling.py", "optimizer.bin"}
    AutoModelForCausalLM.from_pretrained(tmp_path / "llm", local_files_only=True)
    assert AutoTokenizer.from_pretrained(tmp_path / "llm", local_files_only=True).chat_template


def test_the_stage_puts_both_models_in_place(tiny_llm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = build_tiny_text_encoder(tmp_path / "packaged")
    monkeypatch.setattr(fetch, "package_file", lambda *named: packaged if named == fetch.EMBEDDED_TEXT_MODEL else None)
    project = Project(tmp_path / "project")
    fetch.run(Config(llm=LLMConfig(model=str(tiny_llm))).only(["llm"]), project)
    assert (project.llm / "model.safetensors").is_file()
    assert (project.text_model / "1_Pooling/config.json").is_file()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("model.safetensors", "has no weights"),
        ("tokenizer.json", "has no tokenizer.json"),
        ("chat_template.jinja", "has no chat template"),
    ],
)
def test_a_folder_that_lacks_something_is_refused(tiny_llm: Path, tmp_path: Path, missing: str, message: str) -> None:
    source = tmp_path / "source"
    shutil.copytree(tiny_llm, source)
    (source / missing).unlink()
    with pytest.raises(EagleError, match=message):
        fetch.install_llm(str(source), tmp_path / "llm")
    assert not (tmp_path / "llm").exists()


@pytest.mark.parametrize("model", ["no/such/folder", "smollm", "name-without-revision"])
def test_an_unknown_model_says_what_is_possible(model: str, tmp_path: Path) -> None:
    with pytest.raises(EagleError, match=r"'embedded', an existing folder, a \.gguf file, or a hub id"):
        fetch.install_llm(model, tmp_path / "llm")


def test_a_missing_and_a_broken_gguf_file_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="does not exist"):
        fetch.install_llm(str(tmp_path / "none.gguf"), tmp_path / "llm")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(EagleError, match="could not be read as a GGUF model"):
        fetch.install_llm(str(tmp_path / "broken.gguf"), tmp_path / "llm")
    assert not (tmp_path / "llm").exists()


def test_a_model_that_knows_no_english_is_noticed(tiny_llm: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llm, dtype=torch.float32)
    with pytest.raises(EagleError, match="does not know English"):
        check_reads_english(model, AutoTokenizer.from_pretrained(tiny_llm), Path("tiny.gguf"))


def test_packed_weights_are_read_as_the_format_says() -> None:
    # Q4_1 by hand: blocks of 32 values, value = scale * quant + minimum
    quants = np.arange(32) % 16
    packed = np.concatenate(
        [np.array([0.5, -2.0], dtype=np.float16).view(np.uint8), (quants[:16] | quants[16:] << 4).astype(np.uint8)]
    )
    values = gguf.quants.dequantize(packed[None], gguf.GGMLQuantizationType.Q4_1)
    np.testing.assert_allclose(values[0], 0.5 * quants - 2.0)


def test_the_quick_reader_reads_what_gguf_reads(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_array("tokenizer.ggml.tokens", ["a", "bé", ""])
    writer.add_uint32("llama.block_count", 2)
    writer.add_tensor("output.weight", np.arange(12, dtype=np.float32).reshape(3, 4))
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()
    plain, quick = (reader(tmp_path / "tiny.gguf") for reader in (gguf.GGUFReader, quick_reader(gguf.GGUFReader)))
    assert {name: field.contents() for name, field in quick.fields.items()} == {
        name: f.contents() for name, f in plain.fields.items()
    }
    np.testing.assert_array_equal(quick.tensors[0].data, plain.tensors[0].data)
    assert type(quick.tensors[0].data) is np.ndarray
