"""Official MovieLens archives: ml-latest-small, ml-25m, ml-32m (ratings.csv and movies.csv in a zip)."""

from __future__ import annotations

import hashlib
import lzma
import re
import sys
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from eagle.config import DataConfig
from eagle.core.artifacts import md5_of, sha256_of
from eagle.core.errors import EagleError, did_you_mean, user_error
from eagle.data.catalogue import Catalogue, Provenance, make_catalogue
from eagle.data.columns.categories import genre_list
from eagle.data.columns.titles import split_year, upright
from eagle.data.files.tables import read_csv
from eagle.data.sources.download import asked_anew, download, published_md5
from eagle.data.sources.packages import cache_folder

ADDRESS = "https://files.grouplens.org/datasets/movielens/{name}.zip"
MD5 = {"ml-25m": "6b51fb2759a8657d3bfcbfc42b592ada", "ml-32m": "d472be332d4daa821edc399621853b57"}
"""As GroupLens publishes them; ml-latest-small changes now and then and has none that lasts."""
LICENCE = (
    "{name}, GroupLens Research, University of Minnesota: no endorsement may be implied; to be acknowledged in "
    "publications; not to be redistributed without permission (ml-latest-small: under the same conditions); no "
    "commercial use without permission; no warranty. Cite F. M. Harper and J. A. Konstan, The MovieLens Datasets: "
    "History and Context, ACM TiiS 5(4) (2015)."
)
_RATINGS = {"user": "userId", "item": "movieId", "rating": "rating", "timestamp": "timestamp"}
_MOVIES = {"item": "movieId", "title": "title", "genres": "genres"}


class OfficialArchive:
    """The source of the archives; ``data.source`` names which one."""

    def read(self, data: DataConfig, root: Path) -> Catalogue:
        """Return the archive's catalogue, from the mirror that ``data.archive_url`` may name."""
        return official_archive(data.source, data.archive_url)


def official_archive(name: str, address: str | None = None) -> Catalogue:
    """Return an official archive's catalogue, downloaded once; ``address`` names a mirror.

    The whole archive is checked against the MD5 published beside it, and each file read against its own check sum.
    """
    archive = fetch_archive(name, address)
    try:
        with zipfile.ZipFile(archive) as opened:
            ratings = _member(opened, "ratings.csv", _RATINGS)
            movies = _member(opened, "movies.csv", _MOVIES)
            licence = _licence(opened) or LICENCE.format(name=name)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError) as error:
        archive.unlink()
        raise _broken(archive, error) from None
    parts = [split_year(title) if isinstance(title, str) else (None, None) for title in movies["title"]]
    items = pd.DataFrame(
        {
            "item": movies["item"],
            "title": [None if title is None else upright(title) for title, _ in parts],
            "genres": [genre_list(genres, "|") for genres in movies["genres"]],
            "year": pd.Series([year for _, year in parts], dtype="Int64"),
        }
    )
    return make_catalogue(ratings, items, Provenance(name, {f"{name}.zip": sha256_of(archive)}, 0.5, 5.0, licence))


def fetch_archive(name: str, address: str | None = None) -> Path:
    """Return the local archive; before the first download its terms of use are printed."""
    url = address or ADDRESS.format(name=name)
    place = name if address is None else f"{name}-{hashlib.sha256(address.encode()).hexdigest()[:8]}"
    archive = cache_folder() / "archives" / f"{place}.zip"
    md5 = MD5.get(name) if address is None else None
    if archive.exists() and not (asked_anew() and md5 is None and _is_older(archive, url)):
        return archive
    print(
        f"Terms of use: {LICENCE.format(name=name)}\nDownloading {url} into {archive.parent}",
        file=sys.stderr,
        flush=True,
    )
    arrived = archive.with_name(f"{archive.name}.unchecked")
    if not arrived.exists():
        download(url, arrived)
    try:
        _check(arrived, url, md5)
    except EagleError:
        arrived.unlink()
        raise
    arrived.replace(archive)
    return archive


def _is_older(archive: Path, url: str) -> bool:
    """Say whether another archive than the one here is published now; without an answer the one here is kept."""
    published = published_md5(url)
    return published is not None and md5_of(archive) != published


def _check(archive: Path, url: str, md5: str | None) -> None:
    expected = md5 or published_md5(url)
    if expected is not None and (found := md5_of(archive)) != expected:
        raise user_error(
            f"what was downloaded from {url} is not the published archive",
            found=f"MD5 {found}",
            expected=f"MD5 {expected}",
            mend="run the same command again; the download was deleted",
        )
    if not zipfile.is_zipfile(archive):
        raise _broken(archive, "not a zip archive")


def _broken(archive: Path, error: object) -> EagleError:
    return user_error(
        f"{archive.name} is a broken archive",
        found=error,
        mend="run the same command again; the broken file was deleted",
    )


def _member(opened: zipfile.ZipFile, name: str, columns: dict[str, str]) -> pd.DataFrame:
    """Read one CSV of the archive, whatever folder it lies in, and give its columns our names."""
    names = opened.namelist()
    found = next((entry for entry in names if entry.split("/")[-1] == name), None)
    if found is None:
        raise user_error(f"{opened.filename} has no {name}", found=", ".join(names), mend=did_you_mean(name, names))
    with opened.open(found) as handle:
        table = read_csv(handle)
    missing = [column for column in columns.values() if column not in table.columns]
    if missing:
        raise user_error(
            f"{name} in {opened.filename} lacks columns: {', '.join(missing)}",
            found=", ".join(map(str, table.columns)),
            mend="read it with data.source: files, which maps column names",
        )
    return table[list(columns.values())].rename(columns={theirs: ours for ours, theirs in columns.items()})


def _licence(opened: zipfile.ZipFile) -> str | None:
    """Return the section on usage of the archive's own README."""
    readme = next((entry for entry in opened.namelist() if entry.split("/")[-1].lower() == "readme.txt"), None)
    if readme is None:
        return None
    text = opened.read(readme).decode("utf-8", errors="replace")
    section = re.search(r"^Usage License\s*\n[=-]+\s*\n(.+?)(?=\n[^\n]+\n[=-]{3,}|\Z)", text, re.MULTILINE | re.DOTALL)
    return section[1].strip() if section else None
