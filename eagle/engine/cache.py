"""Completions remembered on disk: no text is generated twice, and no result changes by it.

A completion is kept under a hash of all that decides it: model, arithmetic, adapter, prompt, sampling and seed. Engines
whose rows do not depend on their neighbours (float32) are remembered row by row; a call generates only the rows that
are missing. In bfloat16 a row's text can depend on the rows beside it, and what repeats exactly is a whole call; there
the hash also holds the call's other rows, so that a call is remembered as a whole or not at all, and a warm cache gives
what an empty one would. An endpoint's rows are
kept one by one: its batches are not ours to know, and what was paid for is worth more than a second draw.

The store is one SQLite file in WAL mode, for any number of processes of one machine. Every value carries a checksum; a
damaged file is moved aside and a new one begun. Values are JSON: nothing is unpickled. Failed completions are not kept.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import numpy as np

from eagle.core.artifacts import content_hash, is_full, no_space
from eagle.core.errors import EagleError, user_error
from eagle.engine.base import Completion, Interrupted, LanguageModel, SamplingSpec, Unfinished, Usage

_log = logging.getLogger(__name__)
_PATIENCE = 60.0  # seconds to wait for another process's write
_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR", "SQLITE_IOERR_SHORT_READ")
_ROOM = 1 << 20  # bytes: with less the disk is full
_TABLE = "CREATE TABLE IF NOT EXISTS completions (key BLOB PRIMARY KEY, value BLOB NOT NULL, checksum BLOB NOT NULL)"
_SIDE_FILES = ("", "-wal", "-shm")
T = TypeVar("T")
Asked = tuple[str, int, list[str]]  # one row: its prompt, its seed, and what it should not come out as


class CachedModel:
    """A :class:`~eagle.engine.base.LanguageModel` that asks ``inner`` only for what ``store`` does not have.

    ``usage`` is that of ``inner``: new_tokens are generated ones, remembered_tokens those that the store had.
    """

    def __init__(self, inner: LanguageModel, store: CompletionStore) -> None:
        self._inner = inner
        self._store = store
        self._adapter = ""
        self.name = inner.name
        self.fingerprint = inner.fingerprint
        self.batch_invariant = inner.batch_invariant

    @property
    def arithmetic(self) -> str:
        """That of ``inner``, which changes where memory runs out and fewer rows go together."""
        return self._inner.arithmetic

    @property
    def usage(self) -> Usage:
        return self._inner.usage

    @usage.setter
    def usage(self, usage: Usage) -> None:
        self._inner.usage = usage

    def generate(
        self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int], forbidden: Sequence[Sequence[str]] = ()
    ) -> list[Completion]:
        """Continue every prompt; see :class:`~eagle.engine.base.LanguageModel`."""
        asked = list(zip(prompts, map(int, seeds), map(list, forbidden or [()] * len(prompts)), strict=True))
        keys = self._keys(spec, asked)
        known = self._store.read(keys)
        if not self.batch_invariant and len(known) < len(keys):
            known = {}
        self.usage.remembered_tokens += sum(len(known[key].token_ids) for key in keys if key in known)
        missing: dict[bytes, int] = {}
        for row, key in enumerate(keys):
            if key not in known:
                missing.setdefault(key, row)
        if missing:
            rows = list(missing.values())
            known |= self._generate(list(missing), spec, [asked[row] for row in rows])
        return [known[key] for key in keys]

    def _generate(self, keys: list[bytes], spec: SamplingSpec, asked: list[Asked]) -> dict[bytes, Completion]:
        prompts, seeds, forbidden = zip(*asked, strict=True)
        try:
            done = self._inner.generate(prompts, spec, seeds, forbidden if any(forbidden) else ())
        except (Unfinished, Interrupted) as stopped:
            self._store.write({keys[row]: completion for row, completion in stopped.done.items()})
            raise
        self._store.write(dict(zip(self._keys(spec, asked), done, strict=True)))  # by the arithmetic that they came of
        return dict(zip(keys, done, strict=True))

    def _keys(self, spec: SamplingSpec, rows: Sequence[Asked]) -> list[bytes]:
        model = [self.fingerprint, self.arithmetic, self._adapter, asdict(spec)]
        if self.batch_invariant:
            return [_digest([model, row]) for row in rows]
        call = _digest(rows).hex()
        return [_digest([model, row, call, place]) for place, row in enumerate(rows)]

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return log-probabilities of every continuation token; these are not kept."""
        return self._inner.score(prompts, continuations)

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        """Render turns with the model's own template."""
        return self._inner.chat(messages, prefill)

    def load_adapter(self, folder: Path | None) -> None:
        """Switch to the LoRA adapter in ``folder``, or back with None; each has completions of its own."""
        self._inner.load_adapter(folder)
        self._adapter = "" if folder is None else content_hash(folder)


class _Damaged(sqlite3.DatabaseError):
    """A value is not what was written: damage that SQLite itself does not see."""

    sqlite_errorname = "SQLITE_CORRUPT"


class CompletionStore:
    """Completions by key in one SQLite file, opened for each call: nothing to close, to share between threads or to
    lose in a fork.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def read(self, keys: Iterable[bytes]) -> dict[bytes, Completion]:
        """Return the completions that are there."""

        def look_up(db: sqlite3.Connection) -> dict[bytes, Completion]:
            ask = "SELECT value, checksum FROM completions WHERE key = ?"
            found = {key: row for key in keys if (row := db.execute(ask, (key,)).fetchone())}
            return {key: _decode(key, *row) for key, row in found.items()}

        return self._with(look_up)  # makes the file where there is none: one that cannot be is said before work is done

    def write(self, completions: Mapping[bytes, Completion]) -> None:
        """Keep completions, but failed ones; what is there stays."""
        rows = [
            (key, *_encode(key, completion)) for key, completion in completions.items() if completion.finish != "error"
        ]

        def insert(db: sqlite3.Connection) -> None:
            with db:
                db.executemany("INSERT OR IGNORE INTO completions VALUES (?, ?, ?)", rows)

        if rows:
            self._with(insert)

    def connect(self) -> sqlite3.Connection:
        """Open the file; a crash loses no more than the last write."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=_PATIENCE)
        try:
            _into_wal(db)
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute(_TABLE)
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` on the open file; a damaged one is moved aside and a new one begun.

        EagleError where there can be none.
        """
        try:
            return self._or_anew(work)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _or_anew(self, work: Callable[[sqlite3.Connection], T]) -> T:
        before = _identity(self.path)
        try:
            return self._on_open_file(work)
        except sqlite3.Error as error:
            if not error.sqlite_errorname.startswith(_DAMAGED):
                raise
            if before == _identity(self.path):  # else another process has just moved it aside
                self._set_aside(error)
        return self._on_open_file(work)

    def _on_open_file(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with closing(self.connect()) as db:
            return work(db)

    def _set_aside(self, cause: sqlite3.Error) -> None:
        names = (self.path.with_name(f"{self.path.stem}.damaged-{n}{self.path.suffix}") for n in itertools.count(1))
        aside = next(name for name in names if not name.exists())
        for suffix in _SIDE_FILES:
            with suppress(FileNotFoundError):
                os.replace(f"{self.path}{suffix}", f"{aside}{suffix}")
        _log.warning(
            "%s is damaged (%s): moved to %s, a new one is begun; texts are generated anew",
            self.path,
            cause,
            aside.name,
        )

    def _unusable(self, error: sqlite3.Error | OSError) -> EagleError:
        if self._is_full(error):
            return no_space(self.path, error)
        return user_error(
            f"the cache of completions {self.path} cannot be used",
            found=error,
            mend="see that its folder can be written and no other program holds the file, or set llm.cache to false",
        )

    def _is_full(self, error: sqlite3.Error | OSError) -> bool:
        if isinstance(error, OSError):
            return is_full(error)
        if error.sqlite_errorname.startswith(
            "SQLITE_IOERR"
        ):  # of the files beside its own SQLite says no more than that
            return shutil.disk_usage(self.path.parent).free < _ROOM
        return error.sqlite_errorname == "SQLITE_FULL"


def _into_wal(db: sqlite3.Connection) -> None:
    """Turn the file into WAL mode; SQLite itself fails at once, whatever the timeout, where another process is doing
    the same.
    """
    last = time.monotonic() + _PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > last:
                raise
            time.sleep(0.005)


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


def _digest(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value).encode()).digest()


def _checksum(key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(key + value, digest_size=8).digest()


def _encode(key: bytes, completion: Completion) -> tuple[bytes, bytes]:
    value = json.dumps([completion.text, completion.token_ids, completion.log_probs, completion.finish]).encode()
    return value, _checksum(key, value)


def _decode(key: bytes, value: object, checksum: object) -> Completion:
    # A changed byte may also be that which says a value's type: SQLite then gives text, a number or nothing.
    if not isinstance(value, bytes) or checksum != _checksum(key, value):
        raise _Damaged("a value does not match its checksum")
    text, token_ids, log_probs, finish = json.loads(value)
    return Completion(text, tuple(token_ids), tuple(log_probs), finish)
