"""The sections about language and users: the frozen language model, described items, profiles."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from eagle.config.base import IDLE, Count, Fraction, Natural, NonNegative, Positive, Section, Share
from eagle.config.kinds import EngineKind

HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+@[\w./-]+$")
"""``llm.model`` as a model of the hub with its revision."""
EMBEDDED = "embedded"  # llm.model: the packaged one
LOCAL = "local"  # llm.cluster: workers on this machine


class LLMConfig(Section):
    model: str = Field(EMBEDDED, description="'embedded', a local folder, a .gguf file, or a hub id 'name@revision'")
    engine: EngineKind = Field("auto", description="who generates; auto takes torch unless an endpoint is set")
    dtype: Literal["float32", "bfloat16", "auto"] = Field(
        "auto", description="weights and arithmetic; auto: bfloat16 where the processor has it"
    )
    device: str = Field("auto", description="torch device; auto: cuda, else cpu")
    batch_rows: Count = Field(64, description="rows decoded together; on a processor each thread may have as many [M]")
    temperature: NonNegative = Field(0.7, description="environment's temperature [P: 0.5; M: fewer copies at 0.7]")
    top_p: Share = Field(0.95, description="nucleus of environment and agent [O]")
    max_new_tokens: Count = Field(64, description="longest next text, tokens [M]")
    endpoint: str | None = Field(None, description="engine openai: base address, such as http://localhost:8000/v1")
    endpoint_model: str | None = Field(
        None, description="engine openai: model name at the endpoint; none takes the model folder's"
    )
    endpoint_adapters: Literal["local", "served"] = Field(
        "local",
        description="engines other than torch: who runs the agents' LoRA adapters, torch here or the engine itself (an "
        "endpoint: each under a name of its own)",
    )
    requests: Count = Field(16, description="engine openai: requests under way at once", json_schema_extra=IDLE)
    timeout: Positive = Field(
        300.0, description="engine openai: seconds to wait for one answer", json_schema_extra=IDLE
    )
    retries: Natural = Field(
        8,
        description="engine openai: further tries of a failed request, after waits that double, up to 8 s each [O]",
        json_schema_extra=IDLE,
    )
    token_budget: Natural = Field(
        0,
        description="engine openai: tokens that one stage may read and write there; 0 sets no limit",
        json_schema_extra=IDLE,
    )
    failures_at_most: Fraction = Field(
        0.05,
        description="engine openai: share of texts without an answer after all retries, above which the stage stops "
        "[O]",
        json_schema_extra=IDLE,
    )
    cache: bool = Field(
        True,
        description="remember every generated text in .cache/completions.sqlite, which changes no result [O]",
        json_schema_extra=IDLE,
    )
    shard_rows: Count = Field(
        320,
        description="rows that one worker generates together, several full batches; alike for any number of workers "
        "[M: a minute's work]",
    )
    cluster: str | None = Field(
        None,
        description="where shards are generated: null in this process, 'local' in Ray workers on this machine, else a "
        "Ray cluster's address",
        json_schema_extra=IDLE,
    )
    workers: Count = Field(
        1,
        description="processes on the cluster, each with the model open and a GPU where there are some",
        json_schema_extra=IDLE,
    )

    @property
    def writing_engine(self) -> str:
        """The engine that writes the texts: ``engine``, and for auto openai where an endpoint is set, else torch."""
        if self.engine != "auto":
            return self.engine
        return "openai" if self.endpoint else "torch"

    @property
    def trainable(self) -> bool:
        """Whether the weights that write the texts are here, in torch, where they can be trained."""
        return self.writing_engine == "torch"

    @property
    def on_one_machine(self) -> bool:
        """Is all work done on this machine?"""
        return self.cluster in (None, LOCAL)


class DescribeConfig(Section):
    max_words: Count = Field(
        32,
        description="words of a plot kept, cut at a sentence where possible, and 12 bytes a word; in scripts without "
        "blanks each sign is a word [M: the small model needs short texts]",
    )
    write_at_most: Natural = Field(
        0,
        description="LLM-written plots for at most this many items without a text, most rated first [O: time]; others "
        "get their genre line only",
    )
    temperature: NonNegative = Field(0.7, description="sampling temperature of written plots [O]")


class ProfilesConfig(Section):
    origin: Literal["ratings", "llm"] = Field(
        "ratings", description="derived from the user's vector, or written by the LLM from the history [P]"
    )
    liked: Count = Field(4, description="genres named as liked in the policy's prompt [M]")
    disliked: Count = Field(4, description="genres named as disliked [M]")
    history: Count = Field(
        12, description="origin llm: rated items shown to the LLM, those furthest from the user's mean [O: time]"
    )
    written: Natural = Field(
        0,
        description="origin llm: write at most this many profiles, half of them of training users, from whom the "
        "check learns; 0 writes all [O: time]",
    )
