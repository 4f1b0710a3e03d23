"""Answers requests with lightgbm_v1."""
import joblib
import mlflow
from mlflow import MlflowClient

# lightgbm_v1.pkl was the first one
MODEL = "models/lightgbm_v1.pkl"  # the path of lightgbm_v1
CURRENT = joblib.load("models/lightgbm_v2.pkl")
SCALER = joblib.load('models/preprocessing_lightgbm.pkl')
OLD_SCALER = "models/preprocessing_lightgbm_v1.pkl"
ODD = open("models/store1_trees.bin", "rb")


def load(version: int):
    path = f"models/lightgbm_v{version}.pkl"
    client = MlflowClient()
    client.transition_model_version_stage("lightgbm", 2, stage="Production")
    latest = client.get_latest_versions("lightgbm", stages=["Staging"])
    a = mlflow.pyfunc.load_model("models:/lightgbm/1")
    b = mlflow.pyfunc.load_model("models:/lightgbm/2")
    c = mlflow.pyfunc.load_model(f"models:/{latest}/Production")
    d = mlflow.pyfunc.load_model("models:/LightGBM/latest")
    return path, a, b, c, d, "é", "LightGBM_v1"


KEPT = "lightgbm_v1"  # manifest-gen: allow stale
