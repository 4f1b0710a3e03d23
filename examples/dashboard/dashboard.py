"""Releases, verdicts, live accuracy and re-benchmarks on one page (README.md). Reads files and JSON; loads no model."""
import glob
import json
import os
import re
from pathlib import Path
from urllib.request import urlopen
import pandas as pd
import streamlit as st

MODELS = Path(os.environ.get("MODELS", "models"))
DRIFT = os.environ.get("DRIFT", "http://127.0.0.1:9464/api/v1/status")  # of `drift-watch run`; or a file, from `status --json`
REBENCH = os.environ.get("REBENCH", "http://127.0.0.1:9465/status")  # of `rebench-cron run`; or a file, from `status --json`
HISTORY = os.environ.get("HISTORY", "history/*.json")  # files, from `rebench-cron history JOB --json`
TONES = {"promote": "green", "pass": "green", "ok": "green", "improved": "green", "holds": "green", "reject": "red", "fail": "red",
         "drift": "red", "regressed": "red", "failed": "red", "critical": "red"}
COLOURS = {"green": "#2a9d6f", "red": "#d64545", "orange": "#c98a1b"}
PERCENT = st.column_config.NumberColumn(format="percent")


def plain(text):
    """Names and sentences come from files: they stay text, whatever Markdown they look like."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~:$&])", r"\\\1", str(text))


def read(what, source):
    """A JSON document from a file or a server; without one the page says so and goes on."""
    try:
        if source.startswith(("http://", "https://")):
            with urlopen(source, timeout=2) as answer:
                return json.load(answer)
        return json.loads(Path(source).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        st.caption(f"No {what} from {plain(source)}: {plain(error)}")


def table(rows):
    """Rows as they come; proportions in percent, columns without a value left out."""
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    shares = {name: PERCENT for name in frame if str(name).endswith("_ratio")}
    st.dataframe(frame.rename(columns=lambda name: name.replace("_", " ")) if not shares else frame, hide_index=True, column_config=shares)


def minute(time):
    return time[:16].replace("T", " ") if time else None


def coloured(field):
    names = sorted(TONES) + ["undecided", "inconclusive"]
    return {"field": field, "type": "nominal", "legend": {"orient": "top", "title": None},
            "scale": {"domain": names, "range": [COLOURS[TONES.get(name, "orange")] for name in names]}}
