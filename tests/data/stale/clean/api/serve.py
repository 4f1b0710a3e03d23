"""Resolves lightgbm@champion; lightgbm_v2 is served, lightgbm_v3 is being tried."""
import lightgbm
from registry import resolve

NAMES = ["my_lightgbm_v1", "my-lightgbm_v1", "lightgbm_v12", "lightgbm_v1x", "lightgbm_v1_old", "lightgbm_value", "xlightgbm_v1"]
# lightgbm_v1.pkl is gone
PACKAGES = "lightgbm==1.0.0 lightgbm>=1 lightgbm~=1.0 lightgbm 1.0"
URLS = "https://pypi.org/project/lightgbm/1.0.0/ models:/lightgbm@champion models:/lightgbm"
URL = f"models:/{lightgbm}/{NAMES}"
FILES = ["lightgbm.py", "lightgbm.json", "lightgbm_params.json", "configs/lightgbm_v2.yaml", "plots/lightgbm_v2.png"]
OTHERS = ["random_forest_v1", "catboost_v1.pkl", "preprocessing.pkl", "preprocessing_catboost.pkl", "model.pkl"]
PATTERN = "lightgbm_v{version}.csv"


def stage(stage="train", current_stage=None):
    return stage, current_stage


def train(model, joblib):
    joblib.dump(model, "models/lightgbm_v2.pkl")
    self = model
    self.current_stage = "Production"
    stage(stage="Production")
