"""No network call that the user did not ask for."""

from __future__ import annotations

import os


def stay_offline() -> None:
    """Keep hub clients from calling out; to be called before the first import of transformers or peft.

    A user's own HF_HUB_OFFLINE setting wins.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
