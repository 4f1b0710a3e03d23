"""Reads a delivered release back with MLflow's own client and compares it with the release folder.

check_mlflow.py make-model FILE                            writes a scikit-learn pickle
check_mlflow.py check URI MODEL ALIAS EXPERIMENT FOLDER    compares; prints how much there is, as JSON
check_mlflow.py read URI MODEL ALIAS                       prints what stands behind the alias, as JSON
check_mlflow.py load URI MODEL ALIAS                       loads the model behind the alias and predicts
"""

import hashlib
import json
import pathlib
import pickle
import sys
import tempfile


def make_model(file):
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    pathlib.Path(file).write_bytes(pickle.dumps(model))
    return {}


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check(uri, model, alias, experiment, folder):
    import mlflow
    from mlflow import MlflowClient

    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    folder = pathlib.Path(folder)
    manifest_bytes = (folder / "manifest.json").read_bytes()
    manifest = json.loads(manifest_bytes)
    sha256 = hashlib.sha256(manifest_bytes).hexdigest()

    version = client.get_model_version_by_alias(model, alias)
    assert version.tags["manifest_sha256"] == sha256, version.tags
    assert version.tags["version"] == manifest["version"], version.tags
    assert version.tags["gate"] == manifest["gate"]["decision"], version.tags

    run = client.get_run(version.run_id)
    found = client.get_experiment(run.info.experiment_id)
    assert found.name == experiment, found.name
    assert run.info.status == "FINISHED", run.info.status
    assert run.data.tags["manifest_sha256"] == sha256, run.data.tags
    assert run.data.tags["mlflow.source.git.commit"] == manifest["code"]["commit"]
    params = run.data.params
    assert params["n_estimators"] == "250", params
    assert params["learning_rate"] == "0.05", params
    assert params["objective"] == "mae", params
    assert params["monotone ___"] == "[1, 0]", params
    assert params["training_from"] == "2010-02-05" and params["training_to"] == "2012-08-03", params
    assert params["frequency"] == "W-FRI" and params["cadence"] == "weekly", params
    assert params["horizon"] == "1..6" and params["params/horizon"] == "weekly", params
    for metric in manifest["metrics"]:
        assert run.data.metrics[metric["name"]] == metric["value"], run.data.metrics

    with tempfile.TemporaryDirectory() as target:
        local = pathlib.Path(mlflow.artifacts.download_artifacts(f"models:/{model}@{alias}", dst_path=target))
        assert digests(local / "release") == digests(folder), (digests(local / "release"), digests(folder))
        described = mlflow.models.Model.load(str(local))
        assert described.run_id == run.info.run_id, described
        assert described.flavors["forecast_promotion"]["manifest_sha256"] == sha256, described.flavors
    with tempfile.TemporaryDirectory() as target:
        local = pathlib.Path(client.download_artifacts(run.info.run_id, "benchmark/benchmark_results.json", target))
        assert local.read_bytes() == (folder / "evidence/benchmark_results.json").read_bytes()
        promotion = client.list_artifacts(run.info.run_id, "promotion/tests")
        assert [item.path for item in promotion] == ["promotion/tests/junit.xml"], promotion

    points = sum(len(client.get_metric_history(run.info.run_id, key)) for key in run.data.metrics)
    return {
        "runs": len(client.search_runs([found.experiment_id])),
        "versions": len(client.search_model_versions(f"name='{model}'")),
        "metric_points": points,
    }


def read(uri, model, alias):
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    version = client.get_model_version_by_alias(model, alias)
    run = client.get_run(version.run_id)
    files = [item.path for item in client.list_artifacts(run.info.run_id)]
    return {"tags": version.tags, "status": run.info.status, "metrics": run.data.metrics, "files": files}


def load(uri, model, alias):
    import mlflow

    mlflow.set_tracking_uri(uri)
    for loader in (mlflow.sklearn.load_model, mlflow.pyfunc.load_model):
        prediction = loader(f"models:/{model}@{alias}").predict([[2.0]])
        assert abs(float(prediction[0]) - 5.0) < 1e-9, prediction
    return {}


if __name__ == "__main__":
    answer = {"make-model": make_model, "check": check, "read": read, "load": load}[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(answer))
