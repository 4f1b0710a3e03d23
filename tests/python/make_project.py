"""Trains three models of one demand series a shop, and leaves what a promotion needs in the working folder.

make_project.py    writes model_v1.pkl to model_v3.pkl, preprocessing.pkl, features.json, train.csv and forecasts.csv; prints, as
                   JSON, what each model says to one request, by scikit-learn itself
"""

import csv
import json

import joblib
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

SHOPS, DAYS, TRAINED = 12, 160, 100
PROBE = [20.0, 3.0]


def demand():
    """Shops by days: a level, a week with a peak on Saturday, noise."""
    noise = np.random.default_rng(20261123).normal(0.0, 0.5, (SHOPS, DAYS))
    week = np.array([0.0, 1.0, 2.0, 4.0, 7.0, 12.0, 5.0])[np.arange(DAYS) % 7]
    return 15.0 + np.arange(SHOPS)[:, None] * 0.2 + week + noise


def rows(y, days):
    """Yesterday's value and the day of the week, for each shop and day."""
    features = [[y[shop, day - 1], float(day % 7)] for day in days for shop in range(SHOPS)]
    return np.array(features), np.array([y[shop, day] for day in days for shop in range(SHOPS)])


def shop_name(shop):
    return f"shop_{shop:02}"


def write(name, columns, lines):
    with open(name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *lines])


def main():
    y, start = demand(), np.datetime64("2026-01-01")
    features, target = rows(y, range(1, TRAINED))
    scaler = StandardScaler().fit(features)
    scaled = scaler.transform(features)
    models = {
        "v1": LinearRegression().fit(scaled, target),
        "v2": DecisionTreeRegressor(max_depth=6, random_state=0).fit(scaled, target),
        # Trained on one day: a candidate that must not pass.
        "v3": DecisionTreeRegressor(max_depth=1, random_state=0).fit(scaled[:SHOPS], target[:SHOPS]),
    }
    joblib.dump(scaler, "preprocessing.pkl")
    for version, model in models.items():
        joblib.dump(model, f"model_{version}.pkl")

    days = range(TRAINED, DAYS)
    features, target = rows(y, days)
    said = {version: model.predict(scaler.transform(features)) for version, model in models.items()}
    about = [[shop_name(shop), start + day, start + day - 1, int(day % 7 in (5, 6))] for day in days for shop in range(SHOPS)]
    forecasts = zip(about, target, features[:, 0], *said.values())
    write("forecasts.csv", ["unique_id", "ds", "cutoff", "weekend", "y", "naive", *models], [[*names, *numbers] for names, *numbers in forecasts])
    train = [[shop_name(shop), start + day, y[shop, day]] for shop in range(SHOPS) for day in range(TRAINED)]
    write("train.csv", ["unique_id", "ds", "y"], train)
    with open("features.json", "w", encoding="utf-8") as file:
        json.dump(["lag", "week"], file)
    print(json.dumps({version: float(model.predict(scaler.transform([PROBE]))[0]) for version, model in models.items()}))


if __name__ == "__main__":
    main()
