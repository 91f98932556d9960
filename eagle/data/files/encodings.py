"""From bytes to text: as UTF-8 whatever the file was written in, and never a letter guessed in silence."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from charset_normalizer import from_bytes

from eagle.core.errors import EagleError, user_error
from eagle.data.columns.rows import number_of
from eagle.data.files.unpacking import CUT

_MARKS = (  # the longer first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_INNER = b"\n" + codecs.BOM_UTF8
_SEVEN_BIT = ("iso2022", "iso-2022", "hz", "utf-7", "utf7")
_HEAD = 4000
"""Bytes from which a kind is told."""
_OF_TEXT = frozenset(b"\t\n\v\f\r\x1a\x1b")
_NAMED_LINES, _SHOWN, _PARAMETER = 10, 40, "data.files.encoding"


def as_utf8(name: str, content: bytes, declared: str | None = None) -> tuple[bytes, str]:
    """Return :func:`_as_utf8`, without the marks that files have left which were put behind each other.

    DOS ends a text with the sign of Ctrl-Z.
    """
    content, note = _as_utf8(name, content, declared)
    content = content.removesuffix(b"\x1a")
    marks = content.count(_INNER)
    if not marks:
        return content, note
    said = f"{name}: {number_of(marks, 'byte-order mark')} at the beginning of later lines passed over"
    return content.replace(_INNER, b"\n"), f"{note}; {said}" if note else said


def _as_utf8(name: str, content: bytes, declared: str | None) -> tuple[bytes, str]:
    """Return the content in UTF-8 without a byte-order mark, and a note on what is worth saying (or nothing).

    A byte-order mark goes first, then UTF-8 where the bytes are valid in it, then ``declared``
    (``data.files.encoding``).
    UTF-8's patterns do not come about by chance, so a file in it is never read as another. Raises an
    :class:`~eagle.core.errors.EagleError` that names lines and likely encodings for the rest.
    """
    mark = next((encoding for start, encoding in _MARKS if content.startswith(start)), None)
    if mark:
        return _decoded(name, content, mark), ""
    if declared and codecs.lookup(declared).name.startswith(_SEVEN_BIT):
        return _decoded(name, content, declared), ""
    wide = _wide(content)
    if wide:
        return _decoded(name, content, wide), f"{name} is read as {wide.upper()}, which it bears no mark of"
    if content.isascii():
        return content, ""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        if declared:
            return _decoded(name, content, declared), ""
        if _controls(content):
            raise user_error(
                f"{name} is no text, and of no kind that is known here",
                found=f"bytes that no text has, such as {content[:16]!r} at its start",
                expected="CSV or Parquet, packed as gzip, bzip2, xz, zstandard, lz4, zip or tar at most",
                mend="unpack it first, or write its table out as CSV or Parquet",
            ) from None
        raise _no_utf8(name, content, error) from None
    if declared and codecs.lookup(declared).name != "utf-8":
        return content, f"{name} is in UTF-8 and read so, although {_PARAMETER} is {declared}"
    return content, ""


def _wide(content: bytes) -> str | None:
    """Return UTF-16's kind where many bytes are zero, nearly all in the one place of a letter that separators, digits
    and line ends leave empty, and the letters are those of a text; other scripts leave few places empty.
    """
    head = content[: 2 * _HEAD]
    for encoding, empty, full in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        zeros = empty.count(0)
        if len(head) > 3 and zeros > 0.1 * len(empty) and full.count(0) < 0.2 * zeros:
            text = head.decode(encoding, "ignore")
            return encoding if not _controls(text.encode("utf-8")) else None
    return None


def _controls(content: bytes) -> bool:
    """Tell whether the start holds many different control characters, as no text does in any encoding of bytes."""
    found = [byte for byte in content[:_HEAD] if byte < 32 and byte not in _OF_TEXT]
    return len(set(found)) >= 4 and len(found) > 0.02 * len(content[:_HEAD])


def _decoded(name: str, content: bytes, encoding: str) -> bytes:
    try:
        return content.decode(encoding).removeprefix("\ufeff").encode("utf-8")
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        raise user_error(
            f"{name} is not in {encoding} throughout",
            found=f"line {content.count(10, 0, start) + 1}, byte {start}: {error}",
            mend=f"mend that line, or set {_PARAMETER} to what the file is written in",
        ) from None


def _no_utf8(name: str, content: bytes, error: UnicodeDecodeError) -> EagleError:
    bad, others = _bad_lines(content)
    if len(bad) == 1 and error.end >= len(content) and error.reason == "unexpected end of data":
        return user_error(f"{name} ends in the middle of a letter: it is cut off", found=error, mend=CUT)
    lines = ", ".join(f"{number}" for number, _ in bad[:_NAMED_LINES])
    more = f" and {len(bad) - _NAMED_LINES} more" if len(bad) > _NAMED_LINES else ""
    found = f"line{'s' * (len(bad) > 1)} {lines}{more} (the first at byte {error.start})"
    guesses = _guesses([line for _, line in bad])
    shown = "".join(f"\n    {encoding}: {text}" for encoding, text in guesses)
    if others > len(bad):
        found += f"; {others} other lines with letters beyond ASCII are in UTF-8: the file mixes encodings"
        return user_error(f"{name} is not in UTF-8 throughout", found=found, mend="mend or convert these lines" + shown)
    likely = guesses[0][0] if guesses else "cp1252"
    return user_error(
        f"{name} is not in UTF-8",
        found=found,
        expected=f"UTF-8, or {_PARAMETER}; line {bad[0][0]} would read{shown}",
        mend=f"set {_PARAMETER} (of eagle init: --encoding) to the one that reads right (likely {likely}), or convert "
        f"the file: iconv -f {likely} -t UTF-8",
    )


def _bad_lines(content: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Return the lines that are not UTF-8 with their numbers from 1, and how many others hold more than ASCII."""
    bad, others = [], 0
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.isascii():
            try:
                line.decode("utf-8")
                others += 1
            except UnicodeDecodeError:
                bad.append((number, line))
    return bad, others


def _guesses(lines: list[bytes]) -> list[tuple[str, str]]:
    """Return likely encodings, the likeliest first, with what the first line's odd place reads in each."""
    matches = [match.encoding for match in from_bytes(b"\n".join(lines)[:200_000])][:6]
    western = [encoding for encoding in matches if encoding in ("cp1252", "latin_1", "cp1250", "iso8859_15")]
    ordered = [*(["cp1252"] if western or not matches else []), *matches]
    return list(_readings(dict.fromkeys(ordered), lines[0]))[:4]


def _readings(encodings: dict[str, None], line: bytes) -> Iterator[tuple[str, str]]:
    odd = next(place for place, byte in enumerate(line) if byte > 127)
    seen: set[str] = set()
    for encoding in encodings:
        try:
            before, after = line[:odd].decode(encoding), line[odd:].decode(encoding)
        except UnicodeError:
            continue
        text = (before[-_SHOWN // 2 :] + after[:_SHOWN]).strip()
        if text not in seen:
            seen.add(text)
            yield encoding, text
