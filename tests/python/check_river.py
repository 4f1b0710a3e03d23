"""What River's detectors say of given streams. check_river.py < request.json > answers.json

The request holds "streams" (name: values) and, for each, "detectors": specifications as drift-watch writes them. Each answer
has the positions (from 0) of drifts and of the beginnings of warnings, how many values warned, and what the detector
holds at the end.
"""

import json
import re
import sys

import river
from river import drift

VERSION = "0.26.1"

SETTINGS = {
    "adwin": {"delta": "delta", "clock": "clock", "min-window": "min_window_length", "grace": "grace_period"},
    "page-hinkley": {
        "delta": "delta",
        "threshold": "threshold",
        "alpha": "alpha",
        "min": "min_instances",
        "mode": "mode",
    },
    "ddm": {"warning": "warning_threshold", "drift": "drift_threshold", "min": "warm_start"},
}
CLASSES = {"adwin": drift.ADWIN, "page-hinkley": drift.PageHinkley, "ddm": drift.binary.DDM}
WHOLE = {"clock", "min-window", "grace", "min"}


def detector(text):
    name, settings = re.fullmatch(r"([a-z-]+)(?:\((.*)\))?", text).groups()
    words = {}
    for part in filter(None, (settings or "").split(",")):
        key, value = part.split("=")
        words[SETTINGS[name][key]] = value if key == "mode" else int(value) if key in WHOLE else float(value)
    return CLASSES[name](**words)


def holds(found):
    if isinstance(found, drift.ADWIN):
        return [found.width, found.estimation, found.variance]
    return [found._x_mean.get() if isinstance(found, drift.PageHinkley) else found._p.get()]


def answer(values, text):
    found = detector(text)
    drifts, begun, warned, before = [], [], 0, False
    for position, value in enumerate(values):
        found.update(value)
        if found.drift_detected:
            drifts.append(position)
        warns = bool(getattr(found, "warning_detected", False))
        warned += warns
        if warns and not before:
            begun.append(position)
        before = warns
    return {"drifts": drifts, "warnings": begun, "warned": warned, "holds": holds(found)}


if river.__version__ != VERSION:
    sys.exit(f"River {river.__version__}, and {VERSION} is what the detectors are compared with")
request = json.load(sys.stdin)
answers = {
    name: {text: answer(values, text) for text in request["detectors"][name]}
    for name, values in request["streams"].items()
}
lines = (f"{json.dumps(name)}: {json.dumps(found)}" for name, found in answers.items())
print("{\n" + ",\n".join(lines) + "\n}")
