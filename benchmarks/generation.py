"""New tokens per second on the prompts of stage transitions: ours against transformers' generate and against OpenVINO
GenAI.

The prompts are those of the environment: each of the seed actions applied to each of a few texts, one anchor after the
other. A token
counts when it belongs to an answer: what a batch computes for rows that have ended does not. transformers gets the same
weights and dtype as ours, prompts of like length together, and the best of several batch sizes; OpenVINO reads the GGUF
file that the weights came from, with its continuous batching and prefix cache. Each side runs in a process of its own,
and the sides take turns.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.isolated import apart, arguments
from benchmarks.records import Clock, Found, Setting, compared, interleaved, missing
from eagle.core.project import Project

TEXTS = (
    "Genres: drama, mystery. Plot: A lighthouse keeper finds a boat without a crew on the rocks. The only letter on "
    "board is addressed to his daughter, who left the island ten years ago.",
    "Genres: comedy. Plot: Three retired magicians open a school in an empty supermarket. Their first pupil turns out "
    "to be the inspector who is sent to close it.",
    "Genres: adventure, western. Plot: A map maker joins a wagon train to draw the last white spot of the map. What "
    "she finds there is a town that does not want to be found.",
    "Genres: thriller, crime. Plot: A night nurse recognizes a patient as the man who robbed her father. Before he "
    "wakes up she has to decide whether to call the police or his partners.",
)
BATCHES = (16, 32, 64)


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
    """Return our engine as the stage uses it, and at batch 1 as steering does."""
    from eagle.engine.base import SamplingSpec
    from eagle.engine.torch.model import TorchModel

    model = TorchModel(folder, batch_rows=batch, single=batch == 1)
    spec = SamplingSpec(size.new, 0.7, 0.95)
    return lambda prompts: sum(len(done.token_ids) for done in model.generate(prompts, spec, range(len(prompts))))


def transformers(folder: Path, size: Size, batch: int) -> Write:
    """Return transformers' generate on padded batches; every token with a line break ends a row."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from eagle.compute.devices import pick_device, pick_dtype

    device = pick_device("auto")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = (
        AutoModelForCausalLM.from_pretrained(folder, dtype=pick_dtype("auto", device), local_files_only=True)
        .to(device)
        .eval()
    )
    ends = [tokenizer.eos_token_id, *(token for token in range(len(tokenizer)) if "\n" in tokenizer.decode([token]))]
    chosen: dict[str, Any] = {
        "do_sample": True,
        "temperature": 0.7,
        "top_p": 0.95,
        "top_k": 0,
        "max_new_tokens": size.new,
    }

    def write(prompts: Sequence[str]) -> int:
        alike, written = sorted(prompts, key=len), 0
        for start in range(0, len(alike), batch):
            rows = tokenizer(
                alike[start : start + batch], add_special_tokens=False, padding=True, return_tensors="pt"
            ).to(device)
            with torch.inference_mode():
                out = model.generate(**rows, **chosen, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id)
            ended = torch.isin(out[:, rows["input_ids"].shape[1] :], torch.tensor(ends, device=device)).int()
            written += int((ended.cumsum(1) - ended == 0).sum())
        return written

    return write


def openvino(folder: Path, size: Size, batch: int) -> Write:
    """Return OpenVINO GenAI on the GGUF file that ``folder`` was made from; how well it reads that file does not matter
    here.
    """
    import openvino_genai
    import torch

    from eagle.data.sources.packages import package_file
    from eagle.engine.fetch import EMBEDDED_LLM

    scheduler = openvino_genai.SchedulerConfig()
    scheduler.enable_prefix_caching, scheduler.max_num_seqs, scheduler.cache_size = True, batch, 2
    pipeline = openvino_genai.LLMPipeline(
        str(package_file(*EMBEDDED_LLM)),
        "CPU",
        scheduler_config=scheduler,
        INFERENCE_NUM_THREADS=torch.get_num_threads(),
    )
    spec = openvino_genai.GenerationConfig()
    spec.max_new_tokens, spec.stop_strings, spec.apply_chat_template = size.new, {"\n"}, False
    spec.do_sample, spec.temperature, spec.top_p = True, 0.7, 0.95
    return lambda prompts: int(pipeline.generate(list(prompts), spec).perf_metrics.get_num_generated_tokens())


SIDES: dict[str, Callable[[Path, Size, int], Write]] = {
    "ours": ours,
    "transformers": transformers,
    "openvino": openvino,
}


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
    from eagle.domains.open import default_domain
    from eagle.environment.prompts import rewrite_prompt

    template: Any = Template(folder)
    film = default_domain()
    actions = [seed.action for seed in generic_seeds(film)[: size.actions]]
    return [rewrite_prompt(template, text, action, film) for text in TEXTS[: size.texts] for action in actions]


def figure(side: str, folder: Path, size: str, batch: int, clock: Clock = "wall") -> float:
    """Return new tokens per second of a side; batch 1 writes rows one by one, each in a call of its own."""
    now = Setting(clock=clock).now
    write = SIDES[side](folder, SIZES[size], batch)
    rows = prompts(folder, SIZES[size])
    calls = [[row] for row in rows[: SIZES[size].alone]] if batch == 1 else [rows]
    write(rows[-1:])  # not measured: what the first call alone has to do
    start = now()
    written = sum(write(call) for call in calls)
    return written / (now() - start)


def side_of(side: str, folder: Path, setting: Setting, batch: int) -> float:
    """Return :func:`figure`, measured in a process of its own."""
    return float(
        apart("benchmarks.generation", side, folder, "--size", setting.size, "--batch", batch, "--clock", setting.clock)
    )


def best_batch(side: str, folder: Path, setting: Setting) -> int:
    """Return the batch size at which transformers writes most, found in a run of its own; the engines keep their
    batches full.
    """
    if side != "transformers":
        return BATCHES[-1]
    return max(BATCHES, key=lambda batch: side_of(side, folder, setting, batch))


def measure(setting: Setting) -> Found:
    """Return generation_batch_1, generation_best and engine_share."""
    folder, names = Project(setting.project).llm, ("generation_batch_1", "generation_best", "engine_share")
    if not folder.is_dir():
        return Found([missing(name, "no models/llm to write with: make run fetches it") for name in names])
    one = interleaved(
        {side: partial(side_of, side, folder, setting, 1) for side in ("ours", "transformers")}, setting.runs
    )
    peers = ["transformers", *(["openvino"] if importlib.util.find_spec("openvino_genai") else [])]
    batches = {side: best_batch(side, folder, setting) for side in ("ours", *peers)}
    best = interleaved(
        {side: partial(side_of, side, folder, setting, batch) for side, batch in batches.items()}, setting.runs
    )
    unit = f"new tokens/{setting.seconds}"
    found = [
        compared(names[0], unit, one["ours"], one["transformers"], "transformers, batch 1"),
        compared(names[1], unit, best["ours"], best["transformers"], f"transformers, batch {batches['transformers']}"),
    ]
    if "openvino" not in peers:
        return Found([*found, missing(names[2], "OpenVINO GenAI is not installed: make bench installs it")])
    return Found([*found, compared(names[2], unit, best["ours"], best["openvino"], "OpenVINO GenAI")])


def main() -> None:
    """Measure one side in this process and print its figure."""
    parser = arguments(__doc__, SIDES)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--batch", type=int, default=64)
    asked = parser.parse_args()
    print(json.dumps(figure(asked.side, asked.data, asked.size, asked.batch, asked.clock)))


if __name__ == "__main__":
    main()
