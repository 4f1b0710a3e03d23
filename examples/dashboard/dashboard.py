"""Releases, verdicts, live accuracy and re-benchmarks on one page: streamlit run dashboard.py (README.md)"""
import os
import re
from glob import glob
from pathlib import Path
import pandas as pd
import streamlit as st
import records

MODELS = Path(os.environ.get("MODELS", "models"))
DRIFT = os.environ.get("DRIFT", "http://127.0.0.1:9464/api/v1/status")  # of `drift-watch run`; or a file, from `status --json`
REBENCH = os.environ.get("REBENCH", "http://127.0.0.1:9465/status")  # of `rebench-cron run`; or a file, from `status --json`
HISTORY = os.environ.get("HISTORY", "history/*.json")  # files, from `rebench-cron history JOB --json`
GOOD, BAD = {"promote", "pass", "holds", "improved"}, {"reject", "fail", "regressed"}


def colour(word, good, bad, other):
    return good if word in GOOD else bad if word in BAD else other


def plain(text):
    """For what streamlit reads as Markdown: names come from files, and stay text."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~:$&])", r"\\\1", str(text))


def known(what, source):
    """A document; where there is none, the page says so and goes on."""
    try:
        return records.read(str(source))
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)  # of a server that does not answer
        st.text(f"{what}: nothing at {source} ({getattr(cause, 'strerror', None) or cause})")
        return {}


def table(rows):
    """Without columns that say nothing; what is called a ratio, in percent."""
    if not (rows := list(rows)):
        st.caption("Nothing yet.")
        return
    names = [name for name in dict.fromkeys(key for row in rows for key in row) if any(row.get(name) not in (None, "") for row in rows)]
    label = {name: name.removesuffix("_ratio").replace("_", " ") for name in names}
    shares = {name: st.column_config.NumberColumn(label[name], format="percent") for name in names if name.endswith("_ratio")}
    st.dataframe(pd.DataFrame(rows, columns=names), hide_index=True, column_config=label | shares)


def chart(rows, along, by, shape):
    """Effects along an axis, with their intervals and margins."""
    outcomes = sorted({row["outcome"] for row in rows})
    colours = {"domain": outcomes, "range": [colour(word, "#2a9d6f", "#d64545", "#c98a1b") for word in outcomes]}
    axis = {"type": "quantitative", "title": None, "axis": {"format": "+~%", "tickCount": 8}}
    marks = [({"type": "rule", "strokeWidth": 3}, {along: {"field": "low"} | axis, f"{along}2": {"field": "high"}}),
             ({"type": "point", "filled": True, "size": 110, "opacity": 1}, {along: {"field": "effect"} | axis}),
             (shape | {"color": "gray"}, {along: {"field": "margin"} | axis, "color": {"value": "gray"}})]
    shared = {"x" if along == "y" else "y": by | {"title": None, "sort": None},
              "color": {"field": "outcome", "type": "nominal", "scale": colours, "legend": {"orient": "top", "title": None}}}
    spec = {"encoding": shared, "layer": [{"mark": mark, "encoding": own} for mark, own in marks]}
    st.vega_lite_chart(pd.DataFrame(rows), spec | ({"height": {"step": 36}} if along == "x" else {"height": 300}))
    st.caption("Effects with their intervals; below zero is better than the baseline. Grey: the margin.")


def show_verdict(verdict):
    st.badge(verdict["decision"], color=colour(verdict["decision"], "green", "red", "orange"))
    st.text("\n".join(verdict["reasons"]))
    chart(list(records.effects(verdict["gates"])), "x", {"field": "name", "type": "nominal"}, {"type": "tick", "thickness": 2})
    table(records.gates(verdict))


def show_live(models, alerts):
    table(records.live(models))
    st.text("\n".join(f"{one['version']}: {one['reason']}" for one in models))
    errors = {version: pd.Series(values, dtype=float) * 100 for version, values in records.errors(models).items()}
    st.line_chart(pd.DataFrame(errors), x_label="steps", y_label="MAPE, %", height=240)
    if alerts:
        table(records.alerts(alerts))


def show_runs(history):
    at = {"field": "at", "type": "temporal", "axis": {"tickCount": 6, "format": "%Y-%m-%d"}}
    chart(list(records.effects(history["points"], history["margin"])), "y", at, {"type": "line", "strokeDash": [4, 4]})
    table(records.runs(history))


st.set_page_config("Forecast models", layout="wide")
title, choice = st.columns([3, 1], vertical_alignment="bottom")
title.title("Forecast models")
registry = known("Registry", MODELS / "registry.json").get("models", {})
names = sorted({*registry, *(path.name for path in MODELS.glob("releases/*"))})
if not names:
    st.info("There is no model yet: `manifest-gen new` makes a release, `manifest-gen promote` makes it the champion.")
    st.stop()
name = choice.selectbox("Model", names)
model = registry.get(name, {})
rows = list(records.releases(MODELS, name, model))
served = next((row for row in rows if row["standing"] == "champion"), {})
drift, schedule = known("Live accuracy", DRIFT), known("Re-benchmarks", REBENCH)
models = [one for one in drift.get("models", []) if one["model"] == name]
jobs = [job for job in schedule.get("jobs", []) if job["model"] == name]

called = {served.get("version"), model.get("versions", {}).get(served.get("version"), {}).get("file_version")}
now = next((one for one in models if one["version"] in called), {})
since = next((event for event in records.events(model) if event["version"] == served.get("version")), {})
last = next((job["last"] for job in jobs if job["last"]), {})
cards = [("Champion", served.get("version"), served and ("signed" if served["signed"] else "not signed")),
         ("Champion since", since.get("at", "")[:10], since.get("by")),
         ("Live accuracy", now.get("standing"), now and f"up to {records.minute(now['last_step'])}"),
         ("Re-benchmark", last.get("outcome"), last and records.minute(last["scheduled_at"]))]
for place, (label, value, below) in zip(st.columns(4), cards):
    place.metric(label, plain(value or "none"), plain(below or "") or None, delta_color="off", delta_arrow="off", border=True, height="stretch")

st.subheader("Releases")
table(rows)
if rows:
    st.subheader("Verdict")
    versions = [row["version"] for row in rows]
    version = st.selectbox("Release", versions, index=versions.index(served["version"]) if served else 0)
    if verdict := known("Verdict", MODELS / "releases" / name / version / "evidence/verdict.json"):
        show_verdict(verdict)
st.subheader("Live accuracy")
if models:
    show_live(models, [alert for alert in drift["alerts"] if alert["model"] == name])
else:
    st.caption("No live records of this model are known.")
st.subheader("Re-benchmarks")
for job in jobs:
    late = f", overdue since {records.minute(job['overdue_since'])}" if job["overdue_since"] else ""
    st.text(f"{job['job']}: next {records.minute(job['next'])}{late}")
histories = [history for path in sorted(glob(HISTORY)) if (history := known("History", path))]
for history in histories:
    if history["model"] == name and history["points"]:
        show_runs(history)
if not jobs and not any(history["model"] == name for history in histories):
    st.caption("No re-benchmarks of this model are known.")
st.subheader("Promotions, rollbacks, yanks")
table(records.events(model))
