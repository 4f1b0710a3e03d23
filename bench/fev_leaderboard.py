"""fev's leaderboard of all CSV files of a folder, by the settings of fev-bench, as JSON records.

    python3 bench/fev_leaderboard.py FOLDER FILE
"""
import pathlib
import sys
import warnings

import fev

warnings.simplefilter("ignore")
files = sorted(str(path) for path in pathlib.Path(sys.argv[1]).glob("*.csv"))
board = fev.leaderboard(
    files, metric_column="SQL", missing_strategy="impute", baseline_model="Seasonal Naive",
    leakage_imputation_model="Chronos-Bolt", n_resamples=1000, seed=123,
)
board.reset_index().to_json(sys.argv[2], orient="records", double_precision=15)
