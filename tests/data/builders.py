"""Catalogues, wheels and archives whose contents are known."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from eagle.data.catalogue import Catalogue, Provenance, make_catalogue


def catalogue(users: int = 12, items: int = 40, per_user: int = 15, seed: int = 0, texts: float = 0.5) -> Catalogue:
    """``users`` people who each rated ``per_user`` of ``items`` films; a share ``texts`` of the films has a text."""
    draw = np.random.default_rng(seed)
    rows = [(f"u{u}", f"i{i}") for u in range(users) for i in draw.choice(items, per_user, replace=False)]
    ratings = pd.DataFrame(rows, columns=["user", "item"]).assign(
        rating=draw.integers(1, 6, len(rows)), timestamp=range(len(rows))
    )
    told = draw.permutation(items) < round(items * texts)
    films = pd.DataFrame(
        {
            "item": [f"i{i}" for i in range(items)],
            "title": [f"Film {i}" for i in range(items)],
            "text": [f"A story about {i} friends." if has else None for i, has in enumerate(told)],
            "genres": [["drama"] if i % 2 else ["comedy", "crime"] for i in range(items)],
            "year": [1950 + i for i in range(items)],
        }
    )
    return make_catalogue(ratings, films, Provenance("built", {"ratings.csv": "00"}, 1.0, 5.0, "free"))


def wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes]) -> Path:
    """A wheel that pip accepts, with ``files`` (path inside -> content)."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    meta = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in {**files, **meta}.items():
            archive.writestr(member, content)
    return path


README = (
    "Summary\n=======\n\nFilms.\n\n\nUsage License\n=============\n\nOnly for "
    "research.\n\n\nCitation\n========\n\nCite.\n"
)
MOVIES = "movieId,title,genres\n1,Toy Story (1995),Adventure|Children\n"
MOVIES += '2,"Matrix, The (1999)",Action|Sci-Fi\n3,Unlisted (2001),(no genres listed)\n'
RATINGS = "userId,movieId,rating,timestamp\n1,1,4.0,100\n1,2,0.5,101\n7,3,5.0,102\n"


def movielens_archive(name: str = "ml-latest-small", **members: str | None) -> bytes:
    """A zip laid out as GroupLens' archives; a member given as None (``ratings_csv=None``) is left out."""
    files = {
        "README.txt": README,
        "movies.csv": MOVIES,
        "ratings.csv": RATINGS,
        "tags.csv": "userId,movieId,tag,timestamp\n",
    }
    for member, content in members.items():
        key = member.replace("_", ".")
        if content is None:
            del files[key]
        else:
            files[key] = content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in files.items():
            archive.writestr(f"{name}/{file}", content)
    return buffer.getvalue()
