"""Reads benchmark_results.json the way teams do: a dataclass of ten fields, unknown keys refused. Echoes the rows as JSON."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any, Dict, Optional


@dataclass
class Row:
    model_name: str
    dataset_name: str
    mape: float
    rmse: float
    mae: float
    training_time: float
    prediction_time: float
    n_samples: int
    n_features: int
    params: Optional[Dict[str, Any]] = None


def main(path):
    with open(path, "r", encoding="utf-8") as file:
        rows = [Row(**row) for row in json.load(file)["results"]]
    for row in rows:
        for measure in (row.mape, row.rmse, row.mae, row.training_time, row.prediction_time):
            assert isinstance(measure, float), f"{row}: {measure!r} is no float"
        f"{row.training_time:.2f}"
    print(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main(sys.argv[1])
