"""Serve the champion, and the next one when the registry changes; log what is forecast and what becomes known (README.md)."""
import os
from pathlib import Path
from threading import Lock
import joblib
import pandas as pd
from fastapi import FastAPI, HTTPException
from bodies import Actual, Question
from log_live import log_actual, log_prediction
from registry import RegistryError, resolve, verified

ROOT, NAME = Path(os.environ.get("MODELS", "models")), os.environ.get("MODEL", "lightgbm")
RECORDS = Path(os.environ.get("RECORDS", "records"))
RECORDS.mkdir(parents=True, exist_ok=True)
app, served, lock = FastAPI(), {}, Lock()


def stamps(paths):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}


def champion():
    """What is served now; files are read again only when the registry, or one of them, has changed."""
    try:
        with lock:  # requests have threads of their own: one loads, and none sees half of it
            if not served or stamps(served["stamps"]) != served["stamps"]:
                served.clear()
                seen = stamps([ROOT / "registry.json"])  # before it is read: what changes meanwhile is read again
                release = resolve(NAME, root=ROOT)
                seen |= stamps(file["path"] for file in release["artifacts"].values())
                steps = {role: joblib.load(verified(**file)) for role, file in release["artifacts"].items()}
                served.update(release=release, steps=steps, stamps=seen)
            return served["release"], served["steps"]
    except (RegistryError, OSError, KeyError) as error:
        raise HTTPException(503, f"no champion to serve: {error}") from error


@app.post("/predict")
def predict(question: Question):
    release, steps = champion()
    try:
        rows = [[row[feature] for feature in release["features"]] for row in question.instances]
        rows = pd.DataFrame(rows, columns=release["features"])  # preprocessing may pick its columns by name
    except KeyError as error:
        raise HTTPException(422, f"missing: {error}") from error
    rows = steps["preprocessing"].transform(rows) if "preprocessing" in steps else rows
    predictions = [float(value) for value in steps["model"].predict(rows)]
    for about, y_hat in zip(question.about, predictions):  # under the version that said it, whatever is champion by now
        log_prediction(RECORDS / "predictions.jsonl", NAME, release["version"], y_hat=y_hat, **dict(about))
    return {"predictions": predictions, "version": release["version"], "manifest_sha256": release["manifest"]["sha256"]}


@app.post("/actuals")
def actuals(known: list[Actual]):
    for actual in known:
        log_actual(RECORDS / "actuals.jsonl", **dict(actual))
    return {"logged": len(known)}
