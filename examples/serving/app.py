"""Serve the champion, and the next one when the registry changes: MODELS=models MODEL=lightgbm uvicorn app:app"""
import os
from pathlib import Path
import joblib
from fastapi import FastAPI, HTTPException
from registry import RegistryError, resolve, verified

ROOT, NAME = Path(os.environ.get("MODELS", "models")), os.environ.get("MODEL", "lightgbm")
app, served = FastAPI(), {}


def stamps(paths):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}


def champion():
    """What is served now; files are read again only when the registry, or one of them, has changed."""
    try:
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
def predict(request: dict):
    release, steps = champion()
    try:
        rows = [[row[feature] for feature in release["features"]] for row in request["instances"]]
    except (KeyError, TypeError) as error:
        raise HTTPException(422, f"missing or malformed: {error}") from error
    rows = steps["preprocessing"].transform(rows) if "preprocessing" in steps else rows
    about = {"version": release["version"], "manifest_sha256": release["manifest"]["sha256"]}
    return {"predictions": [float(value) for value in steps["model"].predict(rows)], **about}
