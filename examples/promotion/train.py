"""What the team runs: benchmarks by rolling origin, the fits that may be released, and the forecasts of the service.

    python train.py benchmark              results/unemployment.csv, results/departures.csv, results/benchmark_results.json
    python train.py fit                    artifacts/departures-{1,2}-{model,preprocessing}.joblib
    python train.py serve                  live/predictions.csv and live/actuals.csv: what the service said and saw that summer
    python train.py rebenchmark FILE       both released fits, with the features as they are computed today, on what came since

All that it writes is kept beside it, so the tools run without Python. The data are real; the fault is made: on 6 August 2013 a change
of the job that computes features loses LaGuardia, and `usual` is 0 there (FEATURE_LOST).
"""
import json
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# Cutoffs of departures are 8 days apart, so that they fall on every day of the week in turn.
SETS = {
    "unemployment": {"step": "MS", "season": 12, "seasons": 2, "horizon": 6, "cutoffs": ("2004-01-01", "2009-08-01", 3)},
    "departures": {"step": "D", "season": 7, "seasons": 4, "horizon": 7, "cutoffs": ("2013-02-05", "2013-06-23", 8)},
}
FITTED_UNTIL, SERVED_UNTIL = "2013-06-30", "2013-08-27"
HOLIDAYS = pd.to_datetime(["2013-01-01", "2013-01-21", "2013-02-18", "2013-03-31", "2013-05-27", "2013-07-04", "2013-09-02"])
FEATURE_LOST = ("usual", "LGA", "2013-08-06")


def boosted_trees():
    return LGBMRegressor(
        objective="l1", n_estimators=60, learning_rate=0.1, num_leaves=15, random_state=1, verbose=-1, n_jobs=1, deterministic=True
    )


# What each model sees, and how it learns. Target and lags are in multiples of the mean of the last season.
MODELS = {
    "unemployment": {
        "Seasonal": (["season_ago", "long_mean", "h"], Ridge),  # in service: each industry has its own season
        "Calendar": (["last", "long_mean", "h", "slot"], Ridge),  # candidate: one season for all industries
    },
    "departures": {
        "Ridge": (["last", "season_ago", "h", "slot"], Ridge),  # version 1
        "LightGBM": (["last", "season_ago", "usual", "long_mean", "h", "slot"], boosted_trees),  # version 2
    },
}


def read(name):
    """The series as columns, the steps as rows."""
    return pd.read_csv(f"data/{name}.csv", parse_dates=["ds"]).pivot(index="ds", columns="unique_id", values="y").astype(float)


def panel(wide, step, season, seasons, horizon, **_):
    """One row for each series, cutoff and step ahead: what was known at the cutoff, and what came (NaN: not yet)."""
    times = wide.index.append(pd.date_range(wide.index[-1], periods=horizon + 1, freq=step)[1:])
    y = np.vstack([wide.to_numpy(), np.full((horizon, wide.shape[1]), np.nan)])
    parts = []
    for cutoff in range(season * seasons - 1, len(wide)):
        level = y[cutoff - season + 1 : cutoff + 1].mean(axis=0)
        long_mean = y[cutoff - season * seasons + 1 : cutoff + 1].mean(axis=0)
        for target in range(cutoff + 1, cutoff + horizon + 1):
            lags = np.stack([y[target - k * season] for k in range(1, seasons + 1)])
            near = np.abs(times[target] - HOLIDAYS).days.min() <= 2
            parts.append(pd.DataFrame({
                "unique_id": wide.columns, "ds": times[target], "cutoff": times[cutoff], "y": y[target], "level": level,
                "last": y[cutoff] / level, "season_ago": lags[0] / level, "usual": np.median(lags, axis=0) / level,
                "long_mean": long_mean / level, "h": target - cutoff,
                "slot": times[target].month if step == "MS" else times[target].day_of_week,
                "holiday": int(times[target].month in (12, 1) if step == "MS" else near),
                "n_train": cutoff + 1, "Naive": y[cutoff], "SeasonalNaive": lags[0],
            }))
    return pd.concat(parts, ignore_index=True)


def fit(rows, features, make):
    """Preprocessing and estimator; they are kept, and released, together."""
    steps = [("scale", StandardScaler(), [feature for feature in features if feature != "slot"])]
    if "slot" in features:
        steps.append(("slot", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["slot"]))
    preprocessing = ColumnTransformer(steps).set_output(transform="pandas")
    model = make().fit(preprocessing.fit_transform(rows[features]), rows["y"] / rows["level"])
    return {"preprocessing": preprocessing, "model": model, "features": features}


def forecast(fitted, rows):
    """In persons or flights."""
    return fitted["model"].predict(fitted["preprocessing"].transform(rows[fitted["features"]])) * rows["level"]


def write(rows, models, path):
    """A forecast table in the layout of Nixtla's cross_validation."""
    rows = rows.assign(airport=rows["unique_id"].str[:3]) if "Ridge" in models else rows
    columns = ["unique_id", "ds", "cutoff", "y", "Naive", "SeasonalNaive", *models, "h", "holiday", "n_train"]
    rows[columns + [column for column in rows if column == "airport"]].to_csv(path, index=False, float_format="%.2f")


def scores(name, rows, model, **more):
    """A row of benchmark_results.json; mape in percent, as the class has it."""
    error = rows[model] - rows["y"]
    mean = {"mape": 100 * (error / rows["y"]).abs().mean(), "rmse": (error**2).mean() ** 0.5, "mae": error.abs().mean()}
    return {"model_name": model, "dataset_name": name, **{key: round(float(value), 4) for key, value in mean.items()}, **more}


def benchmark(name):
    """Each candidate is fitted anew at each cutoff, on what was known by then."""
    rows, parts, clock, params = panel(read(name), **SETS[name]).dropna(subset="y"), [], {}, {}
    first, last, every = SETS[name]["cutoffs"]
    for cutoff in pd.date_range(first, last, freq=SETS[name]["step"])[::every]:
        known, ahead = rows[rows["ds"] <= cutoff], rows[rows["cutoff"] == cutoff].copy()
        for model, (features, make) in MODELS[name].items():
            start = time.perf_counter()
            fitted = fit(known, features, make)
            middle = time.perf_counter()
            ahead[model] = forecast(fitted, ahead)
            spent = clock.setdefault(model, np.zeros(2))
            spent += [middle - start, time.perf_counter() - middle]
            params[model] = {key: value for key, value in fitted["model"].get_params().items() if value is not None}
        parts.append(ahead)
    rows = pd.concat(parts)
    write(rows, MODELS[name], f"results/{name}.csv")
    return [
        scores(name, rows, model, training_time=round(clock[model][0], 4), prediction_time=round(clock[model][1], 4),
               n_samples=len(rows), n_features=len(features), params=params[model])
        for model, (features, _) in MODELS[name].items()
    ]


def benchmark_all():
    results = [row for name in SETS for row in benchmark(name)]
    n_models = len({row["model_name"] for row in results})
    now = pd.Timestamp.now(tz="UTC").isoformat(timespec="seconds")
    content = {"results": results, "timestamp": now, "n_models": n_models, "n_datasets": len(SETS)}
    Path("results/benchmark_results.json").write_text(json.dumps(content, indent=2) + "\n")


def fit_all():
    rows = panel(read("departures"), **SETS["departures"])
    for version, (features, make) in enumerate(MODELS["departures"].values(), 1):
        fitted = fit(rows[rows["ds"] <= FITTED_UNTIL], features, make)
        for role in ("model", "preprocessing"):
            joblib.dump(fitted[role], f"artifacts/departures-{version}-{role}.joblib")


def released(version):
    """The fit of a version, as it was released."""
    parts = {role: joblib.load(f"artifacts/departures-{version}-{role}.joblib") for role in ("model", "preprocessing")}
    return parts | {"features": list(parts["preprocessing"].feature_names_in_)}


def since_the_release():
    rows = panel(read("departures")[:SERVED_UNTIL], **SETS["departures"])
    return rows[rows["cutoff"] >= FITTED_UNTIL].copy()


def lose_a_feature(rows, since):
    feature, airport, _ = FEATURE_LOST
    rows.loc[rows["unique_id"].str.startswith(airport) & (rows["cutoff"] >= since), feature] = 0


def serve():
    """Forecasts one and seven days ahead, each night; the count of a day is known at one o'clock of the next."""
    rows = since_the_release()
    lose_a_feature(rows, FEATURE_LOST[2])
    rows = rows[rows["h"].isin([1, 7])].assign(y_hat=lambda rows: forecast(released(2), rows).round(2))
    zulu = "%Y-%m-%dT%H:%M:%SZ"
    predictions = pd.DataFrame({
        "model": "departures", "version": "2.0.0", "series": rows["unique_id"], "horizon": rows["h"], "y_hat": rows["y_hat"],
        "issued_at": (rows["cutoff"] + pd.Timedelta(hours=23)).dt.strftime(zulu), "target_time": rows["ds"].dt.strftime(zulu),
        "segment.airport": rows["unique_id"].str[:3], "segment.carrier": rows["unique_id"].str[4:],
    })
    predictions.to_csv("live/predictions.csv", index=False)
    known = rows[(rows["h"] == 1) & rows["y"].notna()]
    actuals = pd.DataFrame({
        "series": known["unique_id"], "target_time": known["ds"].dt.strftime(zulu), "y": known["y"].astype(int),
        "observed_at": (known["ds"] + pd.Timedelta(hours=25)).dt.strftime(zulu),
    })
    actuals.to_csv("live/actuals.csv", index=False)


def rebenchmark(path):
    """Nothing is fitted anew: the pipeline of today runs on the past, as far as the fits have not seen it."""
    rows = since_the_release().dropna(subset="y")
    lose_a_feature(rows, FITTED_UNTIL)
    every = SETS["departures"]["cutoffs"][2]
    age = (rows["cutoff"] - pd.Timestamp(FITTED_UNTIL)).dt.days
    rows = rows[(age % every == 0) & (rows["cutoff"] <= pd.Timestamp(SERVED_UNTIL) - pd.Timedelta(days=7))].copy()
    for version, model in enumerate(MODELS["departures"], 1):
        rows[model] = forecast(released(version), rows)
    write(rows, MODELS["departures"], path)


if __name__ == "__main__":
    {"benchmark": benchmark_all, "fit": fit_all, "serve": serve, "rebenchmark": rebenchmark}[sys.argv[1]](*sys.argv[2:])
