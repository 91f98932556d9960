"""DVC's command line in this process, which has imported it already: a process of its own imports it for seconds.

Commands that are killed, or whose stages ask who runs them, belong in processes of their own.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from pathlib import Path
from unittest.mock import patch

from dvc.cli import main


def dvc(root: Path, *words: str) -> str:
    """Run ``dvc`` in the folder and return what it says on standard output; it has to succeed."""
    with (
        contextlib.chdir(root),
        contextlib.redirect_stdout(io.StringIO()) as said,
        patch.dict(os.environ, {"DVC_TEST": "true"}),  # or it would write JSON past the redirection
        patch.object(sys, "argv", ["dvc", *words]),  # where it looks for -q and -v, whatever it is given
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # DVC's own
        code = main(list(words))
    assert code == 0, f"dvc {' '.join(words)} ended with {code}\n{said.getvalue()[-3000:]}"
    return said.getvalue()
