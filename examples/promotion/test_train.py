"""What must hold of the benchmark, or its numbers mean nothing."""
import numpy as np
import pandas as pd
import pytest

import train


@pytest.mark.parametrize("name", train.SETS)
def test_no_row_knows_what_came_after_its_cutoff(name):
    wide, settings = train.read(name), train.SETS[name]
    cutoff = wide.index[len(wide) // 2]
    changed = wide.copy()
    changed.loc[wide.index > cutoff] = 10 * changed
    known = ["level", "last", "season_ago", "usual", "long_mean", "Naive", "SeasonalNaive"]
    before, after = (train.panel(table, **settings) for table in (wide, changed))
    pd.testing.assert_frame_equal(before.loc[before["cutoff"] <= cutoff, known], after.loc[after["cutoff"] <= cutoff, known])


def test_the_seasonal_naive_forecast_is_the_value_of_a_season_ago():
    wide = train.read("departures")
    rows = train.panel(wide, **train.SETS["departures"])
    row = rows[(rows["unique_id"] == "LGA_DL") & (rows["cutoff"] == "2013-05-01") & (rows["h"] == 3)]
    assert row["ds"].item() == pd.Timestamp("2013-05-04")
    assert row["SeasonalNaive"].item() == wide.loc["2013-04-27", "LGA_DL"]


def test_cutoffs_fall_on_every_day_of_the_week():
    first, last, every = train.SETS["departures"]["cutoffs"]
    assert set(pd.date_range(first, last)[::every].day_of_week) == set(range(7))


def test_a_fit_repeats_itself():
    rows = train.panel(train.read("departures")[:"2013-02-28"], **train.SETS["departures"]).dropna()
    features, make = train.MODELS["departures"]["LightGBM"]
    first, second = (train.forecast(train.fit(rows, features, make), rows) for _ in range(2))
    assert np.array_equal(first, second)
