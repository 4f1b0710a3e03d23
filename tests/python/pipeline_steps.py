"""Prints the shell steps of a pipeline as JSON: [{"job", "name", "script"}]. pipeline_steps.py examples/ci/gitlab-ci.yml"""

import json
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    document = yaml.safe_load(file)


def of_github(jobs):
    for job, body in jobs.items():
        for step in body["steps"]:
            if "run" in step:
                yield {"job": job, "name": step["name"], "script": step["run"]}


def of_gitlab(jobs):
    for job, body in jobs.items():
        if isinstance(body, dict) and "script" in body:
            for key in ("before_script", "script", "after_script"):
                yield {"job": job, "name": key, "script": "\n".join(body.get(key, []))}


steps = of_github(document["jobs"]) if "jobs" in document else of_gitlab(document)
json.dump(list(steps), sys.stdout)
