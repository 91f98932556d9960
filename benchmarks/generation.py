"""New tokens per second on the prompts of stage transitions: ours against transformers' generate and against OpenVINO GenAI.

The prompts are those of the environment: each of the seed actions applied to each of a few texts, one anchor after the other. A token
counts when it belongs to an answer: what a batch computes for rows that have ended does not. transformers gets the same weights and
dtype as ours, prompts of like length together, and the best of several batch sizes; OpenVINO reads the GGUF file that the weights came
from, with its continuous batching and prefix cache. Each side runs in a process of its own, and the sides take turns.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

TEXTS = (
    "Genres: drama, mystery. Plot: A lighthouse keeper finds a boat without a crew on the rocks. The only letter on board is addressed "
    "to his daughter, who left the island ten years ago.",
    "Genres: comedy. Plot: Three retired magicians open a school in an empty supermarket. Their first pupil turns out to be the "
    "inspector who is sent to close it.",
    "Genres: adventure, western. Plot: A map maker joins a wagon train to draw the last white spot of the map. What she finds there is "
    "a town that does not want to be found.",
    "Genres: thriller, crime. Plot: A night nurse recognizes a patient as the man who robbed her father. Before he wakes up she has to "
    "decide whether to call the police or his partners.",
)
BATCHES = (16, 32, 64)
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}  # cpu: for one thread on a busy machine


@dataclass(frozen=True)
class Size:
    """How much is written: ``texts`` x ``actions`` rows at best batch, the first ``alone`` of them one by one."""

    texts: int
    actions: int
    alone: int
    new: int


SIZES = {"tiny": Size(1, 3, 1, 6), "full": Size(4, 24, 6, 64)}
Write = Callable[[Sequence[str]], int]  # prompts -> number of new tokens


def ours(folder: Path, size: Size, batch: int) -> Write:
    """Return our engine as the stage uses it."""
    from eagle.llm.base import SamplingSpec
    from eagle.llm.torch_engine import TorchModel

    model = TorchModel(folder, batch_rows=batch)
    spec = SamplingSpec(size.new, 0.7, 0.95)
    return lambda prompts: sum(len(done.token_ids) for done in model.generate(prompts, spec, range(len(prompts))))


def transformers(folder: Path, size: Size, batch: int) -> Write:
    """Return transformers' generate on padded batches; every token with a line break ends a row."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from eagle.torch_device import pick_device, pick_dtype

    device = pick_device("auto")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=pick_dtype("auto", device), local_files_only=True).to(device).eval()
    ends = [tokenizer.eos_token_id, *(token for token in range(len(tokenizer)) if "\n" in tokenizer.decode([token]))]
    chosen: dict[str, Any] = {"do_sample": True, "temperature": 0.7, "top_p": 0.95, "top_k": 0, "max_new_tokens": size.new}

    def write(prompts: Sequence[str]) -> int:
        alike, written = sorted(prompts, key=len), 0
        for start in range(0, len(alike), batch):
            rows = tokenizer(alike[start : start + batch], add_special_tokens=False, padding=True, return_tensors="pt").to(device)
            with torch.inference_mode():
                out = model.generate(**rows, **chosen, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id)
            ended = torch.isin(out[:, rows["input_ids"].shape[1] :], torch.tensor(ends, device=device)).int()
            written += int((ended.cumsum(1) - ended == 0).sum())
        return written

    return write


def openvino(gguf: Path, size: Size, batch: int) -> Write:
    """Return OpenVINO GenAI on a GGUF file."""
    import openvino_genai
    import torch

    scheduler = openvino_genai.SchedulerConfig()
    scheduler.enable_prefix_caching, scheduler.max_num_seqs, scheduler.cache_size = True, batch, 2
    pipeline = openvino_genai.LLMPipeline(str(gguf), "CPU", scheduler_config=scheduler, INFERENCE_NUM_THREADS=torch.get_num_threads())
    spec = openvino_genai.GenerationConfig()
    spec.max_new_tokens, spec.stop_strings, spec.apply_chat_template = size.new, {"\n"}, False
    spec.do_sample, spec.temperature, spec.top_p = True, 0.7, 0.95
    return lambda prompts: int(pipeline.generate(list(prompts), spec).perf_metrics.get_num_generated_tokens())


SIDES: dict[str, Callable[[Path, Size, int], Write]] = {"ours": ours, "transformers": transformers, "openvino": openvino}


class Template:
    """As much of a language model as the environment's prompt needs."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        turns = [{"role": role, "content": content} for role, content in messages]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)) + prefill


def prompts(folder: Path, size: Size) -> list[str]:
    """Return the prompts in the order of stage transitions."""
    from eagle.actions.seeds import generic_seeds
    from eagle.llm.prompts import rewrite_prompt

    template: Any = Template(folder)
    actions = [seed.action for seed in generic_seeds("film")[: size.actions]]
    return [rewrite_prompt(template, text, action, "film") for text in TEXTS[: size.texts] for action in actions]


def figure(side: str, folder: Path, gguf: Path | None, size: str, batch: int, clock: str = "wall") -> float:
    """Return new tokens per second of a side; batch 1 writes rows one by one, each in a call of its own."""
    write = SIDES[side](gguf if side == "openvino" and gguf else folder, SIZES[size], batch)
    rows = prompts(folder, SIZES[size])
    calls = [[row] for row in rows[: SIZES[size].alone]] if batch == 1 else [rows]
    write(rows[-1:])  # not measured: what the first call alone has to do
    start = CLOCKS[clock]()
    written = sum(write(call) for call in calls)
    return written / (CLOCKS[clock]() - start)


def measure(side: str, folder: Path, gguf: Path | None, size: str, batch: int, clock: str = "wall") -> float:
    """Return :func:`figure`, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.generation", side, str(folder), "--size", size]
    command += ["--batch", str(batch), "--clock", clock, *(["--gguf", str(gguf)] if gguf else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def records(folder: Path, gguf: Path | None = None, *, size: str = "full", runs: int = 3, clock: str = "wall") -> list[dict[str, Any]]:
    """Return generation_batch_1 and generation_best, and engine_share where ``gguf`` is given and OpenVINO GenAI installed."""
    peers = ["transformers", *(["openvino"] if gguf and importlib.util.find_spec("openvino_genai") else [])]
    batches = {"ours": (64,), "transformers": BATCHES, "openvino": (64,)}
    alone: dict[str, list[float]] = {"ours": [], "transformers": []}
    best: dict[str, list[float]] = {side: [] for side in ("ours", *peers)}
    for _ in range(runs):
        for side, found in alone.items():
            found.append(measure(side, folder, gguf, size, 1, clock))
        for side, found in best.items():
            tried = {batch: measure(side, folder, gguf, size, batch, clock) for batch in batches[side]}
            found.append(max(tried.values()))
            batches[side] = (max(tried, key=tried.__getitem__),)  # the first run decides
    done = [_record("generation_batch_1", alone, "transformers", "batch 1", ">= 4")]
    done += [_record("generation_best", best, "transformers", f"batch {batches['transformers'][0]}", ">= 2.5")]
    return done + [_record("engine_share", best, "openvino", "GenAI", ">= 0.6") for peer in peers if peer == "openvino"]


def _record(name: str, sides: dict[str, list[float]], peer: str, how: str, goal: str) -> dict[str, Any]:
    ours, other = sides["ours"], sides[peer]
    figures = {"ours": round(median(ours), 1), "peer": round(median(other), 1)}
    figures["ratio"] = round(median(a / b for a, b in zip(ours, other, strict=True)), 3)
    return {"name": name, "unit": "new tokens/s", **figures, "peer_name": f"{peer} {how}", "goal": goal, "runs": len(ours)}


def main() -> None:
    """Measure one side in this process and print its figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    asked = parser.parse_args()
    print(json.dumps(figure(asked.side, asked.folder, asked.gguf, asked.size, asked.batch, asked.clock)))


if __name__ == "__main__":
    main()
