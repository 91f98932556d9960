"""One policy-gradient step: ours (phase on_policy) against TRL's GRPO trainer, same model, prompts, batch and lengths.

A step writes 16 completions (4 prompts, 4 each), scores them under policy and reference, and updates a LoRA adapter of
rank 16. The
environment is left out on both sides: rewards are a hash of the tokens. Each side runs in a process of its own, because
memory is the process's peak, and the two take turns. TRL runs with its defaults but for what must be equal.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.isolated import apart, arguments
from benchmarks.records import Found, Record, Setting, alone, compared, interleaved, missing
from eagle.core.project import Project

STORY = (
    "The old sailor told the children about a storm that took his boat, his brother and the lighthouse of the town. "
    * 30
)


@dataclass(frozen=True)
class Size:
    """Sequences of a step: ``prompts`` x ``each``, of ``read`` + ``written`` tokens."""

    prompts: int
    each: int
    read: int
    written: int

    @property
    def tokens(self) -> int:
        """Tokens of one step, read and written."""
        return self.prompts * self.each * (self.read + self.written)


SIZES = {"tiny": Size(2, 2, 12, 4), "full": Size(4, 4, 160, 40)}


def prompts(tokenizer: Any, size: Size) -> list[str]:
    """Return the distinct prompts, each of ``size.read`` tokens."""
    ids = tokenizer(STORY, add_special_tokens=False).input_ids
    return [tokenizer.decode(ids[start : start + size.read]) for start in range(size.prompts)]


def reward(tokens: list[int]) -> float:
    """A number that depends on the completion alone."""
    return float(sum(tokens) % 7)


def our_steps(folder: Path, size: Size, steps: int, now: Callable[[], float] = time.perf_counter) -> list[float]:
    """Return the seconds of each of our steps: the phase itself, over an environment that costs nothing."""
    from eagle.compute.devices import pick_device, pick_dtype
    from eagle.config import LoraSettings, OnPolicyPhase
    from eagle.engine.base import Finish
    from eagle.engine.torch.decoding import Ends
    from eagle.environment.steering import Case, Observation, StepResult
    from eagle.policies.lora import LoraPolicy, Written
    from eagle.training.on_policy import OnPolicy
    from eagle.training.rollouts import Rules

    class Endless(Ends):
        """Lets every text go on to its full length."""

        def ended(self, tokens: Any, stop: Any) -> tuple[str, Finish | None]:
            return "", None

    class FixedLength(LoraPolicy):
        """Writes ``size.written`` tokens, whatever they are."""

        def write(
            self, prompts: Any, temperature: float, seed: int, max_new_tokens: int = size.written
        ) -> list[Written]:
            self.ends = Endless(self.model.get_base_model(), self.tokenizer)
            return super().write(prompts, temperature, seed, max_new_tokens)

    class Free:
        """One change per episode; its reward is read off the action."""

        def reset(self, cases: Any, seed: int, horizon: int) -> list[Observation]:
            self.seen = [Observation(c.case, c.anchor, c.user, 0, c.text, None) for c in cases]
            return self.seen

        def step(self, actions: Any) -> list[StepResult]:
            return [StepResult(o, reward(list(a.encode())), True) for o, a in zip(self.seen, actions, strict=True)]

    device = pick_device("auto")
    dtype = pick_dtype("auto", device)
    with tempfile.TemporaryDirectory() as saved:
        LoraPolicy.create(folder, LoraSettings(rank=16, alpha=32.0), 0, dtype=dtype, device=device).save(
            Path(saved) / "adapter"
        )
        policy = FixedLength.load(folder, Path(saved) / "adapter", trainable=True, dtype=dtype, device=device)
    texts = prompts(policy.tokenizer, size)
    phase = OnPolicy(
        OnPolicyPhase(episodes=size.prompts * size.each, rollouts_per_pair=size.each, baseline="leave_one_out"),
        Free(),  # type: ignore[arg-type]
        Rules(lambda o: o.text, lambda anchor: ("Add a war.",), True, lambda anchor, action: 1.0, 1.0, 0.0, horizon=1),
        [Case(0, "anchor", "user", text) for text in texts],
        policy,
        kl_coefficient=0.1,
        gamma=1.0,
        seed=0,
    )
    taken = []
    for number in range(steps):
        start = now()
        phase.update(number)
        taken.append(now() - start)
    return taken


def trl_steps(folder: Path, size: Size, steps: int, now: Callable[[], float] = time.perf_counter) -> list[float]:
    """Return the seconds of each step of TRL's GRPO trainer."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    ends: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(now())

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    cuda = torch.cuda.is_available()
    rows = size.prompts * size.each
    with tempfile.TemporaryDirectory() as out:
        config = GRPOConfig(
            output_dir=out,
            per_device_train_batch_size=rows,
            num_generations=size.each,
            max_completion_length=size.written,
            generation_kwargs={"min_new_tokens": size.written},
            max_steps=steps,
            beta=0.1,
            learning_rate=1e-4,
            bf16=True,
            use_cpu=not cuda,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            logging_strategy="no",
        )
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True),
            reward_funcs=lambda completion_ids, **_: [reward(list(ids)) for ids in completion_ids],
            args=config,
            train_dataset=Dataset.from_dict({"prompt": prompts(tokenizer, size) * steps}),
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
            callbacks=[Clock()],
            processing_class=tokenizer,
        )
        ends.append(now())
        trainer.train()
    return [after - before for before, after in pairwise(ends)]


SIDES = {"ours": our_steps, "trl": trl_steps}


def side_of(side: str, folder: Path, setting: Setting) -> dict[str, float]:
    """Run one side in a process of its own; seconds per step (median, the first is warm-up where there are more) and
    peak MiB.
    """
    found: dict[str, float] = apart(
        "benchmarks.rl_step", side, folder, "--size", setting.size, "--clock", setting.clock
    )
    return found


def measure(setting: Setting) -> Found:
    """Return rl_step_tokens (new and read tokens per second) and rl_step_memory (peak MiB of the process)."""
    folder, names = Project(setting.project).llm, ("rl_step_tokens", "rl_step_memory")
    if not folder.is_dir():
        return Found([missing(name, "no models/llm to train: make run fetches it") for name in names])
    sides = [side for side in SIDES if side == "ours" or importlib.util.find_spec(side)]
    found = interleaved({side: partial(side_of, side, folder, setting) for side in sides}, setting.runs)
    tokens = SIZES[setting.size].tokens
    speed = {side: [tokens / run["seconds"] for run in done] for side, done in found.items()}
    memory = {side: [run["peak_mib"] for run in done] for side, done in found.items()}
    units = (f"tokens/{setting.seconds}", "MiB")
    return Found([_record(*figure) for figure in zip(names, units, (speed, memory), strict=True)])


def _record(name: str, unit: str, sides: dict[str, list[float]]) -> Record:
    if "trl" not in sides:
        return alone(name, unit, sides["ours"], note="TRL is not installed: make bench installs it")
    return compared(name, unit, sides["ours"], sides["trl"], "TRL GRPOTrainer")


def main() -> None:
    """Measure one side in this process and print its figures."""
    parser = arguments(__doc__, SIDES)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--steps", type=int, default=3)
    asked = parser.parse_args()
    seconds = SIDES[asked.side](asked.data, SIZES[asked.size], asked.steps, Setting(clock=asked.clock).now)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(json.dumps({"seconds": median(seconds[1:] or seconds), "peak_mib": peak}))


if __name__ == "__main__":
    main()
