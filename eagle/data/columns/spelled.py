"""Lists and records in a cell: as Parquet keeps them, or as Python, JSON, NumPy, R and Postgres spell them in text.

One grammar reads all of these writings, because files mix them: ``[{'id': 35, 'name': nan}]`` is neither Python nor
JSON, and ``[np.str_('a'), u'b']`` is no JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.rows import listed, number_of

MOST = 0.5
"""Share of the cells that are lists or records from which the column is one of them, and no chance [ours]."""
_LOOKED_AT = 1000
_DEEPEST = 20
_PAIRS = {"[": "]", "{": "}", "(": ")"}
_CLOSES = r"""(?=\s*(?:[\])},:]|$)|\s+[ubrUBR]{0,2}['"])"""
"""What stands after a quote that closes: any other is an apostrophe, as in ``['Children's', 'Drama']``."""
_TOKEN = re.compile(
    rf"""\s*(?:(?P<sign>[\[\]{{}}(),:])
    |[ubrUBR]{{0,2}}(?:'(?P<single>(?:[^\\]|\\.)*?)'{_CLOSES}|"(?P<double>(?:[^\\]|\\.)*?)"{_CLOSES})
    |(?P<bare>[^\s\[\]{{}}(),:'"][^\[\]{{}}(),:]*))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS = {"none": None, "null": None, "nan": None, "<na>": None, "true": True, "false": False}
_BEGINS = re.compile(r"""[\[{(]\s*(?:[\[{(]\s*)*(?:[ubrUBR]{0,2}['"]|\w+(?:\.\w+)*\()""")
"""How a list or record with a quoted text in it begins."""
_CALL = re.compile(
    r"""(?:c|list|character|(?:np\.|numpy\.)?array|set|frozenset|tuple|deque|dict)\(\s*(?:[\[{(\)]|[ubrUBR]{0,2}['"]|0\)|NA\b)"""
)
"""How a list begins that is written as a call: ``c("drama", "war")`` of R, ``frozenset({'a'})`` of Python."""
_Token = tuple[str, str]
_NO_KEY = object()
_VECTORS = ("c", "list")
"""Calls of R of which every member counts; ``np.str_('a')`` is its first, and ``array(['a'], dtype=object)`` too."""


class _Misspelt(ValueError):
    pass


def nested(value: Any) -> bool:
    """Tell whether a cell holds a list or a record, and no single value."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes))


def spelled(text: str) -> Any | None:
    """Return the list or record that a text spells; None where it is plain text.

    Words for a missing value become None. In round brackets stands a list only where it holds a quoted text.
    """
    text = text.strip()
    if len(text) < 2 or text[-1] not in _PAIRS.values():
        return None
    if not _CALL.match(text) and (_PAIRS.get(text[0]) != text[-1] or (text[0] == "(" and not _BEGINS.match(text))):
        return None
    try:
        tokens = list(_tokens(text))
        value, end = _value(tokens, 0, 0)
    except _Misspelt:
        return None
    return value if end == len(tokens) and nested(value) else None


def prose(value: Any) -> Any:
    """Return a list of texts as one text, in the order of the list; any other cell as it is."""
    parts = spelled(value) if isinstance(value, str) and _begins(value) else value
    if parts is None or not nested(parts) or isinstance(parts, dict):
        return value
    parts = list(parts)
    return " ".join(part for part in parts if part) if all(isinstance(part, str | None) for part in parts) else value


def _begins(text: str) -> bool:
    """Tell whether a text begins as a list or record does that quotes its texts."""
    text = text.strip()
    return bool(_BEGINS.match(text) or _CALL.match(text))


def cut_short(name: str, column: pd.Series) -> Problem | None:
    """Return the problem of cells that begin as a list or record with quotes, and do not end as one."""
    cells = column[[isinstance(cell, str) and _begins(cell) for cell in column]]
    wrong = cells[[spelled(cell) is None for cell in cells]]
    if wrong.empty:
        return None
    return Problem(
        f"{name}: column {column.name!r} holds lists or records that cannot be read",
        found=f"{number_of(len(wrong), 'row')} of {len(cells):,}: {listed(wrong)}",
        expected="a whole list of Python or JSON, as ['drama', 'war'], or names with a separator",
        mend="write the file again from its origin: a program has cut these cells, or changed their quotes",
    )


def not_single(name: str, column: pd.Series) -> Problem | None:
    """Return the problem of a column that holds lists or records where one value belongs; None where it does not."""
    known = column.dropna()
    known = known.iloc[:: max(1, len(known) // _LOOKED_AT)]
    if len(known) and isinstance(known.dtype, pd.StringDtype):
        rows = known[known.str.contains(r"[\])}]\s*$").astype(bool)]
        many = rows[[_begins(cell) and spelled(cell) is not None for cell in rows]]
    elif known.dtype == object:
        many = known[[nested(cell) for cell in known]]
    else:
        return None
    if len(many) <= MOST * len(known):
        return None
    return Problem(
        f"{name}: column {column.name!r} holds lists or records, not single values",
        found=listed(many.head(3).map(str)),
        expected="one value in each row",
        mend="make the value that is meant a column of its own where the file is written: pandas.json_normalize does "
        "so with records, table.explode with lists",
    )


def _tokens(text: str) -> Iterator[_Token]:
    """Give (kind, text): a sign, a quoted text without its escapes, or bare words."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _Misspelt
        kind, at = found.lastgroup, found.end()
        if kind in ("sign", "bare"):
            yield kind, found[kind].strip()
        else:
            yield "quoted", _unescaped(found[kind])


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: _letter(found[1]), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins the halves of a letter


def _letter(code: str) -> str:
    return chr(int(code[1:], 16)) if len(code) > 1 else _LETTERS.get(code, code)


def _value(tokens: list[_Token], at: int, depth: int) -> tuple[Any, int]:
    """Return the value that begins at a token, and where the next begins."""
    if at >= len(tokens) or depth > _DEEPEST:
        raise _Misspelt
    kind, text = tokens[at]
    if kind == "quoted":
        return text, at + 1
    if kind == "bare":
        if tokens[at + 1 : at + 2] != [("sign", "(")]:
            return _of_words(text), at + 1
        members, end = _members(tokens, at + 1, depth)
        if text in _VECTORS:
            return [None if value == "NA" else value for _, value in members], end
        return (members[0][1] if members and text != "character" else []), end
    if text not in _PAIRS:
        raise _Misspelt
    members, end = _members(tokens, at, depth)
    named = [key is not _NO_KEY for key, _ in members]
    if any(named) and not (all(named) and text == "{"):
        raise _Misspelt
    return (dict(members) if any(named) else [value for _, value in members]), end


def _members(tokens: list[_Token], at: int, depth: int) -> tuple[list[tuple[Any, Any]], int]:
    """Return (key, value) of each member within the bracket at a token, and where the token after it stands.

    Between quoted texts, as NumPy writes them, no comma is needed.
    """
    close = ("sign", _PAIRS[tokens[at][1]])
    members: list[tuple[Any, Any]] = []
    at += 1
    while tokens[at : at + 1] != [close]:
        first, at = _value(tokens, at, depth + 1)
        if tokens[at : at + 1] == [("sign", ":")]:
            value, at = _value(tokens, at + 1, depth + 1)
            members.append((str(first), value))
        else:
            members.append((_NO_KEY, first))
        if tokens[at : at + 1] == [("sign", ",")]:
            at += 1
        elif tokens[at : at + 1] != [close] and not (
            tokens[at - 1][0] == "quoted" and tokens[at : at + 1] and tokens[at][0] == "quoted"
        ):
            raise _Misspelt
    return members, at + 1


def _of_words(text: str) -> Any:
    """Return a number as one where it reads the same again, a word for a missing value as None, others as text."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            if str(kind(text)) == text:
                return kind(text)
        except ValueError:
            continue
    return text
