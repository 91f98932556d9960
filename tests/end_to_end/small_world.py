"""A whole project in miniature: a catalogue with planted tastes, and a language model that was taught the form of a
description.

The language model is a real Llama in transformers' layout. Its attention adds nothing, so it is a chain over words:
after "Genres:" it names genres and tells one of a few plots, whatever it was asked. That is enough for every stage to
work on real texts.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config, parse_config
from eagle.config.parameters import params_yaml
from tests.tiny import build_tiny_text_encoder, chat_tokenizer

GENRES = ("crime", "comedy", "drama", "horror", "romance", "western")
PLOTS = (
    "A retired thief plans one last robbery beneath Paris.",
    "Two quarrelling sisters inherit their grandmother's haunted lighthouse together.",
    "The young sheriff hunts seven outlaws across frozen mountains.",
    "An ageing clown falls for the circus accountant quietly.",
    "Four students wake something hungry below an abandoned school.",
    "Some lonely postman answers every letter nobody else opens.",
)


def teach_language_model(folder: Path, *, seed: int = 0, steps: int = 150, genres: bool = True) -> Path:
    """Write a 1-layer Llama (d 48) trained for a few seconds on lines ``Genres: a, b. Plot: ...``, or on ``The plot:
    ...`` without genres.
    """
    import torch
    from tokenizers import pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM

    pairs = list(itertools.permutations(GENRES, 2))
    lines = [f"Genres: {a}, {b}. Plot: {plot}\n" for a, b in pairs for plot in PLOTS]
    lines += [f"Genres: {genre}. Plot: {plot}\n" for genre in GENRES for plot in PLOTS]
    if not genres:
        lines = [f"The plot: {plot}\n" for plot in PLOTS]
    word_and_space = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(
                " ", "merged_with_next"
            ),  # " crime," is one token, so that one word tells what may follow
            pre_tokenizers.Split("\n", "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    fast = chat_tokenizer(lines, 900, word_and_space)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(fast),
                hidden_size=48,
                intermediate_size=96,
                num_hidden_layers=1,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=4096,
                tie_word_embeddings=False,
                bos_token_id=1,
                eos_token_id=2,
                pad_token_id=2,
            )
        )
        model.model.layers[0].self_attn.o_proj.weight.data.zero_()
        for parameter in model.model.layers[0].self_attn.parameters():
            parameter.requires_grad_(False)
        batch = fast(lines, return_tensors="pt", padding=True, padding_side="right")
        labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-2)
        for _ in range(steps):
            rows = torch.randint(len(lines), (32,))
            loss = model(
                input_ids=batch.input_ids[rows], attention_mask=batch.attention_mask[rows], labels=labels[rows]
            ).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return Path(folder)


def write_catalogue(folder: Path, *, users: int = 60, items: int = 48, seed: int = 0) -> None:
    """Write ratings.csv and items.csv: users like two genres and dislike two, ratings say so with a little noise."""
    rng = np.random.default_rng(seed)
    genres = [rng.choice(GENRES, 2, replace=False).tolist() for _ in range(items)]
    liked = [rng.choice(GENRES, 4, replace=False).tolist() for _ in range(users)]
    rows = []
    for user in range(users):
        for item in rng.choice(items, 26, replace=False):
            taste = sum((g in liked[user][:2]) - (g in liked[user][2:]) for g in genres[item])
            rows.append((f"u{user}", f"i{item}", float(np.clip(round(3 + 0.8 * taste + rng.normal(0, 0.4)), 1, 5))))
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["who", "what", "stars"]).to_csv(folder / "ratings.csv", index=False)
    table = {
        "what": [f"i{i}" for i in range(items)],
        "name": [f"Film {i} ({1950 + i})" for i in range(items)],
        "genres": ["|".join(g) for g in genres],
        "plot": [PLOTS[i % len(PLOTS)] for i in range(items)],
    }
    pd.DataFrame(table).to_csv(folder / "items.csv", index=False)


def small_config(model: Path, **changes: dict[str, Any]) -> Config:
    """Return parameters under which every stage takes seconds; ``changes`` are merged into their sections."""
    values: dict[str, Any] = {
        "data": {
            "source": "files",
            "files": {
                "ratings": "own/ratings.csv",
                "items": "own/items.csv",
                "columns": {
                    "user": "who",
                    "rated_item": "what",
                    "rating": "stars",
                    "item": "what",
                    "title": "name",
                    "text": "plot",
                    "genres": "genres",
                },
            },
            "rating_min": 1,
            "rating_max": 5,
            "min_ratings_per_user": 5,
        },
        "factors": {"dimension": 4, "iterations": 3},
        "encoder": {"rounds": 3, "pca": 8, "year_functions": 3},
        "actions": {"per_anchor": 8, "llm_written": 0, "train_anchors": 4, "validation_anchors": 2},
        "transitions": {"samples": 1, "second_steps": 0},
        "design": {"projection": 3},
        "llm": {"model": str(model), "dtype": "float32", "max_new_tokens": 40, "shard_rows": 16},
        "reference": {"names": ["uniform", "g_optimal"], "updates": 2, "prompts": 2, "lora": {"rank": 2}},
        "train": {
            "phases": [{"kind": "all_action", "updates": 6, "pairs": 4, "warmup": 1}],
            "horizon": 2,
            "checkpoint_every": 1,
            "lora": {"rank": 2},
        },
        "evaluate": {
            "anchors": 3,
            "users": 4,
            "horizon": 2,
            "bootstrap": 50,
            "macro": True,
            "other_temperature": 1.5,
            "search": {"budget": 2},
            "budgets": {"most": 2, "users": 3},
        },
        # A model this small keeps no bound that means something; what bounds do: tests/report and tests/registry.
        "registry": {
            "bounds": {
                "distinct_actions": 1,
                "valid_actions": 0,
                "mutual_information": 0,
                "defects": 1,
                "copies": 1,
                "kl": 1000,
            }
        },
    }
    for section, change in changes.items():
        values[section] = {**values.get(section, {}), **change}
    return parse_config(values)


def write_project(root: Path, models: Path) -> Path:
    """Write params.yaml, the catalogue and a method of one's own; build both models under ``models``."""
    write_catalogue(root / "own")
    model = teach_language_model(models / "llm")
    build_tiny_text_encoder(models / "text_model")
    shutil.copy2(Path(__file__).parent / "own_method.py", root / "own_method.py")
    own = small_config(model, evaluate={"methods": ["search_eagle", "own_method:BestOfTwo"]})
    (root / "params.yaml").write_text(params_yaml(own), encoding="utf-8")
    return root
