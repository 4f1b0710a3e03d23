#!/bin/sh
# scores with lightgbm_v1
set -e
python score.py --model models/lightgbm_v1.pkl --out out.csv # lightgbm_v1
manifest-gen resolve lightgbm@1 --artifact model
cat models/releases/lightgbm/1.0.0/manifest.json
python score.py --model models/lightgbm_v2.pkl
python score.py --model "models/lightgbm_v2.joblib" # manifest-gen: allow stale
