"""Parquet from anywhere as a table: Spark's decimals and timestamps, numbers with gaps, indexes that pandas kept."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from eagle.core.errors import EagleError, user_error
from eagle.data.files.misfits import missing_columns, several_columns
from eagle.data.files.unpacking import CUT

_WHOLE = {kind: pd.Int64Dtype() for kind in (pa.int64(), pa.int32(), pa.int16(), pa.int8(), pa.uint32(), pa.uint16())}
_WHOLE |= {pa.uint64(): pd.UInt64Dtype()}
_DIGITS = 18
"""Digits that a whole number of 64 bits can have, all of them."""


def read_parquet(name: str, content: bytes, wanted: Mapping[str, str | None]) -> pd.DataFrame:
    """Return the wanted columns (parameter -> name), indexed by row from 1.

    Whole numbers with gaps stay whole, and so do decimals without a fraction (a float loses the last digits of long
    ids); bytes become text, those of a fixed number hexadecimal digits.
    Raises one :class:`~eagle.core.errors.EagleError` for a broken file or with every missing column.
    """
    if not content:
        raise user_error(f"{name} is empty and cannot be read as a table", mend=CUT)
    asked = list(dict.fromkeys(column for column in wanted.values() if column))
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            counted = _counted(file.schema_arrow)
            present = [*file.schema_arrow.names, *counted]
            problems = several_columns(name, present, asked) or missing_columns(name, present, wanted)
            if problems:
                raise EagleError(problems)
            table = file.read(columns=[column for column in asked if column in file.schema_arrow.names])
            rows = file.metadata.num_rows
        columns = {
            column: pd.Series(counted[column]) if column in counted else _column(name, column, table[column])
            for column in asked
        }
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise user_error(
            f"{name} cannot be read as a table: it is damaged or incomplete",
            found=error,
            expected="a whole Parquet file",
            mend=CUT,
        ) from None
    index = pd.RangeIndex(1, rows + 1, name="row")
    return pd.DataFrame(columns, index=pd.RangeIndex(rows), copy=False).set_axis(index)


def column_names(content: bytes) -> list[str]:
    """Return the names of all columns, that of an index of pandas too; none where the file is broken."""
    try:
        schema = pq.read_schema(pa.BufferReader(content))
    except (pa.ArrowException, OSError, ValueError):
        return []
    return list(dict.fromkeys([*schema.names, *_counted(schema)]))


def _counted(schema: pa.Schema) -> dict[str, pd.RangeIndex]:
    """Return the index of pandas that counts on evenly: only its name and its ends are in the file."""
    found = (schema.pandas_metadata or {}).get("index_columns", [])
    return {
        index["name"]: pd.RangeIndex(index["start"], index["stop"], index["step"])
        for index in found
        if isinstance(index, dict) and index.get("kind") == "range" and index.get("name")
    }


def _column(name: str, title: str, column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column = column.cast(kind.storage_type)
    elif pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    kind = column.type
    if pa.types.is_decimal(kind):
        column = _number(column)
    elif pa.types.is_fixed_size_binary(kind):  # as an UUID
        return pd.Series([None if cell is None else cell.hex() for cell in column.to_pylist()], dtype="string")
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            column = column.cast(pa.string())
        except pa.ArrowInvalid:
            raise user_error(
                f"{name}: column {title!r} holds bytes that are no text in UTF-8",
                found=f"such as {next(cell for cell in column.to_pylist() if cell and not _is_text(cell))[:20]!r}",
                mend="write this column as text where the file is made (bytes.hex() keeps ids apart)",
            ) from None
    whole = _WHOLE.get(column.type) if column.null_count else None
    kept: pd.Series = column.to_pandas(
        types_mapper=None if whole is None else lambda _: whole, maps_as_pydicts="strict"
    )
    return kept


def _number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals as whole numbers where all are, of any length: a float loses the last digits of long ids.

    Others become floats by way of their text: pyarrow's own cast makes 1001.0000000000001 of 1001.
    """
    kind = pa.decimal256 if pa.types.is_decimal256(column.type) else pa.decimal128
    try:
        column = column.cast(kind(column.type.precision, 0))
    except pa.ArrowInvalid:  # some have a fraction
        return column.cast(pa.string()).cast(pa.float64())
    return column.cast(pa.int64() if column.type.precision <= _DIGITS else pa.string())


def _is_text(cell: bytes) -> bool:
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
