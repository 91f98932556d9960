from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from eagle.core.errors import EagleError
from eagle.data.sources import archives
from eagle.data.sources.archives import fetch_archive, official_archive
from eagle.data.sources.download import ANEW, TRIES, download, partial
from tests.data.builders import movielens_archive
from tests.data.conftest import Site

CONTENT = bytes(range(256)) * 40


def _ranges(site: Site) -> list[str]:
    return [wanted for path, wanted in site.asked if not path.endswith(".md5")]


def test_a_broken_off_download_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.files["a.zip"], site.breaks = CONTENT, [1000, 2000]
    download(site.address + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert _ranges(site) == ["", "bytes=1000-", "bytes=3000-"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_a_later_run_resumes_what_an_earlier_one_left(site: Site, tmp_path: Path) -> None:
    site.files["a.zip"], site.breaks = CONTENT, [1000]
    url, target = site.address + "a.zip", tmp_path / "a.zip"
    partial(target).write_bytes(CONTENT[:500])
    site.breaks = [100] + [0] * TRIES
    with pytest.raises(EagleError, match="goes on after the 600 bytes"):
        download(url, target)
    assert not target.exists()
    assert partial(target).read_bytes() == CONTENT[:600]
    download(url, target)
    assert target.read_bytes() == CONTENT


def test_a_download_that_lacked_only_its_name_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    site.files["a.zip"] = CONTENT
    partial(tmp_path / "a.zip").write_bytes(CONTENT)
    download(site.address + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert _ranges(site) == [f"bytes={len(CONTENT)}-"]


def test_leftovers_longer_than_the_file_are_thrown_away(site: Site, tmp_path: Path) -> None:
    site.files["a.zip"] = CONTENT
    partial(tmp_path / "a.zip").write_bytes(CONTENT + b"of another file")
    download(site.address + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_again(site: Site, tmp_path: Path) -> None:
    site.files["a.zip"], site.ranges = CONTENT, False
    partial(tmp_path / "a.zip").write_bytes(b"of another try")
    download(site.address + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 503])
def test_a_refusal_is_one_clear_error(site: Site, tmp_path: Path, status: int) -> None:
    site.files["a.zip"], site.status = CONTENT, [status]
    with pytest.raises(EagleError, match=f"could not be downloaded\n  found: {status}"):
        download(site.address + "a.zip", tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_no_server_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eagle.data.sources.download.time.sleep", lambda seconds: None)
    with pytest.raises(EagleError, match="check the network"):
        download("http://127.0.0.1:9/a.zip", tmp_path / "a.zip")


def test_a_full_disk_is_one_clear_error(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.files["a.zip"] = CONTENT

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(EagleError, match="No space left on device\n  mend: free some space there, or set EAGLE_CACHE"):
        download(site.address + "a.zip", tmp_path / "a.zip")


def test_an_archive_becomes_a_catalogue_and_is_downloaded_once(
    site: Site, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = movielens_archive()
    site.files = {"m.zip": content, "m.zip.md5": f"MD5 (m.zip) = {hashlib.md5(content).hexdigest()}\n".encode()}
    built = official_archive("ml-latest-small", site.address + "m.zip")
    assert built.items["title"].tolist() == ["Toy Story", "The Matrix", "Unlisted"]
    assert built.items["year"].tolist() == [1995, 1999, 2001]
    assert built.items["genres"].tolist() == [["adventure", "children"], ["action", "sci-fi"], []]
    assert built.items["text"].isna().all()
    assert built.ratings.values.tolist() == [["1", "1", 4.0, 100], ["1", "2", 0.5, 101], ["7", "3", 5.0, 102]]
    assert built.users["user"].tolist() == ["1", "7"]
    assert built.source.licence == "Only for research."
    assert built.source.files == {"ml-latest-small.zip": hashlib.sha256(content).hexdigest()}
    assert "Terms of use" in capsys.readouterr().err
    site.files.clear()
    official_archive("ml-latest-small", site.address + "m.zip")
    assert "Terms of use" not in capsys.readouterr().err


def test_a_weekly_run_asks_whether_another_archive_is_published(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(content: bytes) -> None:
        site.files = {"m.zip": content, "m.zip.md5": hashlib.md5(content).hexdigest().encode()}

    def had() -> list[str]:
        site.asked.clear()
        archive = fetch_archive("ml-latest-small", site.address + "m.zip")
        assert archive.read_bytes() in (older, newer)
        return ["older" if archive.read_bytes() == older else "newer", *(path for path, _ in site.asked)]

    older = movielens_archive()
    newer = older + b"another comment"
    publish(older)
    had()
    publish(newer)
    assert had() == ["older"]
    monkeypatch.setenv(ANEW, "1")
    assert had() == ["newer", "/m.zip.md5", "/m.zip", "/m.zip.md5"]
    assert had() == ["newer", "/m.zip.md5"]
    site.files.clear()
    assert had() == ["newer", "/m.zip.md5"]


def test_ratings_of_25m_and_32m_are_checked_against_what_grouplens_publishes(
    site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ADDRESS", site.address + "{name}.zip")
    site.files["ml-25m.zip"] = movielens_archive("ml-25m")
    with pytest.raises(EagleError, match=f"expected: MD5 {archives.MD5['ml-25m']}"):
        official_archive("ml-25m")
    assert [p for p in cache.rglob("*") if p.is_file()] == []


def test_an_archive_that_differs_from_its_md5_is_not_kept(site: Site, cache: Path) -> None:
    content = movielens_archive()
    site.files = {"m.zip": content, "m.zip.md5": b"0" * 32 + b"  m.zip\n"}
    with pytest.raises(EagleError, match="not the published archive"):
        fetch_archive("ml-latest-small", site.address + "m.zip")
    assert [p for p in cache.rglob("*") if p.is_file()] == []
    site.files["m.zip.md5"] = f"{hashlib.md5(content).hexdigest()}  m.zip\n".encode()
    assert fetch_archive("ml-latest-small", site.address + "m.zip").read_bytes() == content


def _damaged() -> bytes:
    content = bytearray(movielens_archive())
    start = content.index(b"ratings.csv") + len(
        b"ratings.csv"
    )  # the member's data follows its name; the directory still reads
    content[start : start + 20] = bytes(20)
    return bytes(content)


@pytest.mark.parametrize("content", [b"<html>sign in first</html>", movielens_archive()[:-200], _damaged()])
def test_a_broken_archive_is_one_clear_error_and_is_not_kept(site: Site, cache: Path, content: bytes) -> None:
    site.files["m.zip"] = content
    with pytest.raises(EagleError, match="broken archive") as caught:
        official_archive("ml-latest-small", site.address + "m.zip")
    assert len(caught.value.problems) == 1
    assert [p for p in cache.rglob("*") if p.is_file()] == []
    site.files["m.zip"] = movielens_archive()
    assert len(official_archive("ml-latest-small", site.address + "m.zip").ratings) == 3


def test_an_archive_of_another_layout_says_what_it_lacks(site: Site, cache: Path) -> None:
    site.files["m.zip"] = movielens_archive(ratings_csv=None)
    with pytest.raises(EagleError, match=r"has no ratings\.csv"):
        official_archive("ml-32m", site.address + "m.zip")
    site.files["n.zip"] = movielens_archive(ratings_csv="user,movieId,stars\n1,1,2\n")
    with pytest.raises(EagleError, match="lacks columns: userId, rating, timestamp"):
        official_archive("ml-32m", site.address + "n.zip")


def test_without_a_readme_the_known_terms_stand_in(site: Site, cache: Path) -> None:
    site.files["m.zip"] = movielens_archive(README_txt=None)
    assert official_archive("ml-32m", site.address + "m.zip").source.licence.startswith("ml-32m, GroupLens Research")
