"""Parquet from anywhere as a table: Spark's decimals and timestamps, numbers with gaps, indexes that pandas kept."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from eagle.core.errors import EagleError, user_error
from eagle.data.files.misfits import missing_columns
from eagle.data.files.unpacking import CUT

_WHOLE = {kind: pd.Int64Dtype() for kind in (pa.int64(), pa.int32(), pa.int16(), pa.int8(), pa.uint32(), pa.uint16())}
_WHOLE |= {pa.uint64(): pd.UInt64Dtype()}


def read_parquet(name: str, content: bytes, wanted: Mapping[str, str | None]) -> pd.DataFrame:
    """Return the wanted columns (parameter -> name), indexed by row from 1.

    Whole numbers with gaps stay whole (a float loses the last digits of long ids); decimals become floats, bytes text.
    Raises one :class:`~eagle.core.errors.EagleError` for a broken file or with every missing column.
    """
    if not content:
        raise user_error(f"{name} is empty and cannot be read as a table", mend=CUT)
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            present = list(file.schema_arrow.names)
            problems = missing_columns(name, present, wanted)
            if problems:
                raise EagleError(problems)
            table = file.read(columns=list(dict.fromkeys(column for column in wanted.values() if column)))
        columns = {column: _column(table[column]) for column in table.column_names}
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise user_error(
            f"{name} cannot be read as a table: it is damaged or incomplete",
            found=error,
            expected="a whole Parquet file",
            mend=CUT,
        ) from None
    index = pd.RangeIndex(1, table.num_rows + 1, name="row")
    return pd.DataFrame(columns, copy=False).set_axis(index)


def _column(column: pa.ChunkedArray) -> pd.Series:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        column = column.cast(pa.string())
    whole = _WHOLE.get(column.type) if column.null_count else None
    return column.to_pandas(types_mapper=lambda _: whole) if whole is not None else column.to_pandas()
