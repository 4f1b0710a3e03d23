#!/bin/sh
# lightgbm_v1 was left behind; models/lightgbm_v1.pkl too
model=$(manifest-gen resolve lightgbm@champion --artifact model --verify) # not lightgbm_v1
manifest-gen scan models/lightgbm_v2.pkl --json
echo "${model#lightgbm_}" # lightgbm_v1
