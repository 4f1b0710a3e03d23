"""Train the small models below tests/data/artifacts/features, and say what their own libraries call the features.

    python tests/data/python/make_feature_models.py tests/data/artifacts/features

Needs xgboost, lightgbm, pandas, numpy. The models are tiny on purpose: only their heads are read.
"""

import json
import sys
from pathlib import Path

import lightgbm
import numpy
import pandas
import xgboost


def frame() -> pandas.DataFrame:
    random = numpy.random.default_rng(20261124)
    return pandas.DataFrame(
        {
            "lag_1": random.normal(size=60),
            "week": numpy.arange(60) % 52,
            "is_holiday": random.integers(0, 2, 60).astype(bool),
            "store": pandas.Categorical(random.choice(["a", "b", "c"], 60)),
            "constant": numpy.ones(60),
        }
    )


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = frame()
    target = data["lag_1"] * 2 + data["week"]
    matrix = xgboost.DMatrix(data, target, enable_categorical=True)
    booster = xgboost.train({"max_depth": 2, "nthread": 1}, matrix, 2)
    booster.save_model(folder / "xgboost.json")
    booster.save_model(folder / "xgboost.ubj")
    bare = xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(data[["lag_1"]].to_numpy(), target), 1)
    bare.save_model(folder / "xgboost_bare.json")
    trees = lightgbm.train({"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}, lightgbm.Dataset(data, target), 2)
    trees.save_model(folder / "lightgbm.txt")
    said = {
        "xgboost": [booster.feature_names, booster.feature_types],
        "lightgbm": trees.feature_name(),
        "versions": {"xgboost": xgboost.__version__, "lightgbm": lightgbm.__version__},
    }
    (folder / "expected.json").write_text(json.dumps(said, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
