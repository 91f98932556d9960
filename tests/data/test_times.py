from __future__ import annotations

import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.data.columns.times import improbable, read_times, seconds
from eagle.data.columns.years import read_years

DAY = 1_552_521_600  # 2019-03-14
MOMENTS = st.lists(
    st.datetimes(datetime.datetime(1998, 1, 1), datetime.datetime(2029, 1, 1)), min_size=1, max_size=6
).map(lambda found: [moment.replace(microsecond=0) for moment in found])


@given(MOMENTS, st.sampled_from([1, 10**3, 10**6, 10**9]), st.booleans())
def test_any_unit_since_1970_is_seen_in_the_numbers(moments: list[datetime.datetime], unit: int, text: bool) -> None:
    meant = [int(moment.replace(tzinfo=datetime.UTC).timestamp()) for moment in moments]
    numbers = pd.Series([second * unit for second in meant])
    assert seconds(numbers.astype("string") if text else numbers).tolist() == meant


@given(MOMENTS, st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M:%S"]))
def test_dates_are_read_as_meant(moments: list[datetime.datetime], form: str) -> None:
    meant = [int(moment.replace(tzinfo=datetime.UTC).timestamp()) for moment in moments]
    assert seconds(pd.Series([moment.strftime(form) for moment in moments])).tolist() == meant


@given(MOMENTS, st.booleans())
def test_one_order_of_day_and_month_for_the_whole_column_or_a_refusal(
    moments: list[datetime.datetime], day_first: bool
) -> None:
    form = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    found = read_times("r.csv", pd.Series([moment.strftime(form) for moment in moments], name="when"))
    if any(moment.day > 12 for moment in moments):
        meant = [int(datetime.datetime(*moment.timetuple()[:3], tzinfo=datetime.UTC).timestamp()) for moment in moments]
        assert found.problem is None
        assert found.seconds.tolist() == meant
    else:
        assert found.problem is not None
        assert "data.files.day_first" in found.problem.mend


def test_an_order_that_changes_is_refused_with_both_rows() -> None:
    found = read_times("r.csv", pd.Series(["13/02/2019", "02/13/2019"], name="when"))
    assert found.problem is not None
    assert "row 0: '13/02/2019'" in found.problem.found
    assert "row 1: '02/13/2019'" in found.problem.found


def test_the_parameter_decides_where_the_column_does_not_and_may_not_contradict_it() -> None:
    either = pd.Series(["03/04/2019"], name="when")
    assert (
        read_times("r.csv", either, day_first=True).seconds[0] - read_times("r.csv", either, day_first=False).seconds[0]
        == 30 * 86400
    )  # 3 April and 4 March
    wrong = read_times("r.csv", pd.Series(["13/02/2019"], name="when"), day_first=False).problem
    assert wrong is not None
    assert "data.files.day_first" in wrong.what


def test_dates_of_a_parquet_file_and_compact_dates_are_read() -> None:
    assert seconds(pd.Series(pd.to_datetime(["2019-03-14"]))).tolist() == [DAY]
    assert seconds(pd.Series([datetime.date(2019, 3, 14)])).tolist() == [DAY]
    assert seconds(pd.Series([20190314, 20190315])).tolist() == [DAY, DAY + 86400]


def test_times_that_cannot_be_read_are_counted_and_all_of_them_refused() -> None:
    some = read_times("r.csv", pd.Series(["2019-03-14", "soon", None], name="when"))
    assert some.seconds.tolist() == [DAY, pd.NA, pd.NA]
    assert some.remarks == ("r.csv: 1 time in column 'when' could not be read: row 1: 'soon'",)
    every = read_times("r.csv", pd.Series(["soon", "late"], name="when"))
    assert every.problem is not None
    assert "no cell of column 'when' is a time" in every.problem.what


@pytest.mark.parametrize(
    ("cell", "year"),
    [("Dec 1995", 1995), ("1995.0", 1995), (1995, 1995), ("19951203", 1995), ("-750", -750), ("1995-12-01", 1995)],
)
def test_years_in_their_usual_writings(cell: object, year: int) -> None:
    assert read_years("i.csv", pd.Series([cell], name="made"), -3000, 2100)[0].tolist() == [year]


def test_what_is_no_year_is_missing_and_counted() -> None:
    column = pd.Series(["1995", "123456", "9999", "late", None], name="made")
    years, said = read_years("i.csv", column, -3000, 2100)
    assert years.tolist() == [1995, pd.NA, pd.NA, pd.NA, pd.NA]
    assert said == (
        "i.csv: 3 cells in column 'made' hold no year from -3000 to 2100: row 1: '123456'; row 2: '9999'; "
        "row 3: 'late'",
    )


@pytest.mark.parametrize("form", ["%Y", "%Y%m", "%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S"])
@given(MOMENTS)
def test_dates_without_signs_are_read_to_what_they_tell(form: str, moments: list[datetime.datetime]) -> None:
    written = [moment.strftime(form) for moment in moments]
    meant = [int(datetime.datetime.strptime(cell, form).replace(tzinfo=datetime.UTC).timestamp()) for cell in written]
    assert seconds(pd.Series([int(cell) for cell in written])).tolist() == meant


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([43538.5, 43539.0], "as a spreadsheet counts"),
        ([1_500_000_000, 1_500_000_000_000, 1_500_000_000_001], "are all of them seconds"),
        ([-5_000_000_000, 1_500_000_000], "are all of them seconds"),
        ([5_000_000_000], "are all of them seconds"),
        ([600_000_000], "not since 2001"),
        ([0, 1, 2], "are all of them seconds"),
    ],
)
def test_times_at_which_nobody_rated_are_said(cells: list[float], why: str) -> None:
    column = pd.Series(cells, name="when")
    (said,) = improbable("r.csv", column, seconds(column))
    assert why in said
    assert "in column 'when' would lie before 1995 or after 2099" in said
    assert improbable("r.csv", column, pd.Series([DAY] * len(cells), dtype="Int64")) == ()


@pytest.mark.parametrize("cell", ["inf", "1e30", "-1e19"])
def test_numbers_beyond_any_time_are_missing(cell: str) -> None:
    read = read_times("r.csv", pd.Series([str(DAY), str(DAY), cell], name="when"))
    assert read.seconds.tolist() == [DAY, DAY, pd.NA]
    assert "1 time in column 'when' could not be read" in read.remarks[0]


@pytest.mark.parametrize("cell", ["10:15", "10:15:30 PM", "Monday", "March", datetime.time(10, 15)])
def test_a_time_of_the_day_is_no_date_of_today(cell: object) -> None:
    assert read_times("r.csv", pd.Series(["2019-03-14", cell])).seconds.tolist() == [DAY, pd.NA]


@pytest.mark.parametrize("cell", ["14 Mar 2019", "Mar 14, 2019", "14-Mar-19", "Thu Mar 14 00:00:00 +0000 2019"])
def test_dates_with_names_of_months_are_read(cell: str) -> None:
    assert seconds(pd.Series([cell])).tolist() == [DAY]


@pytest.mark.parametrize("cell", ["2019年3月14日", "2019年03月14日 00:00:00", "2019년 3월 14일", "2019. 3. 14."])
def test_dates_of_east_asia_are_read(cell: str) -> None:
    assert seconds(pd.Series([cell])).tolist() == [DAY]


def test_moments_of_parquet_beyond_the_year_2262_are_read() -> None:
    column = pd.Series(pd.to_datetime(["9999-12-31T23:59:59", None]).as_unit("us"))
    assert seconds(column).tolist() == [253_402_300_799, pd.NA]


def test_years_of_two_digits_are_said() -> None:
    years, said = read_years("i.csv", pd.Series(["95", "1996"], name="made"), -3000, 2100)
    assert years.tolist() == [95, 1996]
    assert said == ("i.csv: 1 year in column 'made' of two digits taken as they are: row 0: '95'; write 1995 for 95",)


@pytest.mark.parametrize(
    ("cell", "second"),
    [
        ("14 March 2019", 0),
        ("March 14th, 2019", 0),
        ("14th of March 2019", 0),
        ("Thursday, March 14, 2019", 0),
        ("14-Mar-2019 10:15", 36_900),
        ("March 14, 2019 at 10:15 AM", 36_900),
        ("Reviewed in the United States on March 14, 2019", 0),
        ("Thu Mar 14 2019 10:15:00 GMT+0100 (Central European Standard Time)", 33_300),
        ("Thu Mar 14 10:15:00 CET 2019", 36_900),
        ("2019-03-14 10:15:00 EST", 36_900),
    ],
)
def test_dates_in_words_are_read(cell: str, second: int) -> None:
    assert seconds(pd.Series([cell])).tolist() == [DAY + second]


def test_a_quarter_is_its_first_day() -> None:
    assert seconds(pd.Series(["2019Q2", "2019-Q2"])).tolist() == [1_554_076_800] * 2


def test_names_of_time_zones_are_said() -> None:
    found = read_times("r.csv", pd.Series(["2019-03-14 10:15:00 EST"], name="when"))
    assert found.remarks == (
        "r.csv: names of time zones in column 'when', as EST, passed over: all times count as UTC",
    )


@pytest.mark.parametrize("cells", [["14. März 2019", "15. Mai 2019"], ["14 mars 2019"], ["14 de marzo de 2019"]])
def test_dates_in_words_of_another_language_are_told(cells: list[str]) -> None:
    found = read_times("r.csv", pd.Series(cells, name="when"))
    assert found.problem is not None
    assert "names of months are read in English alone" in found.problem.found
    some = read_times("r.csv", pd.Series([*cells, "14. April 2019"], name="when"))
    assert some.seconds.notna().sum() == 1
    assert "names of months are read in English alone" in some.remarks[0]


def test_a_date_without_a_year_is_none() -> None:
    assert read_times("r.csv", pd.Series(["2019-03-14", "Mar 14 10:15"])).seconds.tolist() == [DAY, pd.NA]


def test_a_day_between_year_and_month_is_refused() -> None:
    found = read_times("r.csv", pd.Series(["2019-01-02", "2019-14-03"], name="when"))
    assert found.problem is not None
    assert "the day between year and month" in found.problem.what
    assert "row 1: '2019-14-03'" in found.problem.found


def test_blanks_between_numbers_leave_the_order_open_too() -> None:
    found = read_times("r.csv", pd.Series(["1 2 2019"], name="when"))
    assert found.problem is not None
    assert "data.files.day_first" in found.problem.mend


@pytest.mark.parametrize(
    ("cell", "year"), [("c. 1850", 1850), ("1999-2001", 1999), ("c. 500 BC", -500), ("0", pd.NA), ("-1", pd.NA)]
)
def test_years_as_museums_write_them(cell: str, year: object) -> None:
    assert read_years("i.csv", pd.Series([cell], name="made"), -3000, 2100)[0].tolist() == [year]


@pytest.mark.parametrize("text", [True, False])
def test_times_that_lost_digits_to_scientific_notation_are_said(text: bool) -> None:
    cells = [f"1.{n}E+09" for n in range(20, 26)]
    (said,) = read_times("r.csv", pd.Series(cells if text else [float(cell) for cell in cells], name="when")).remarks
    assert said.startswith("r.csv: times in column 'when' have lost their last digits")
    days = pd.Series([86_400 * n for n in range(15_000, 15_006)])
    assert not read_times("r.csv", days).remarks
