"""What releases, verdicts, live records and re-benchmarks say, as rows of tables and charts. Reads files and JSON; loads no model."""
import glob
import json
from pathlib import Path
from urllib.request import urlopen


def read(source):
    """A JSON document from a file or a server."""
    if source.startswith(("http://", "https://")):
        with urlopen(source, timeout=2) as answer:
            return json.load(answer)
    return json.loads(Path(source).read_text(encoding="utf-8"))


def minute(time):
    return time[:16].replace("T", " ") if time else ""


def percent(value):
    return "" if value is None else f"{value:+.1%}"


def p_value(value):
    return "" if value is None else "< 0.0001" if value < 1e-4 else "> 0.9999" if value > 1 - 1e-4 else f"{value:.4f}"


def interval(ends):
    return " to ".join(map(percent, ends)) if ends else ""


def newest(manifest):
    """Orders versions: a pre-release comes before its release."""
    core, _, early = manifest["version"].partition("+")[0].partition("-")
    return [int(part) for part in core.split(".")], not early, early


def manifests(root, name):
    """Of all releases, also of those that were never promoted; the newest first."""
    found = [read(str(path)) for path in root.glob(f"releases/{glob.escape(name)}/*/manifest.json")]
    return sorted(found, key=newest, reverse=True)


def releases(root, name, model):
    """A row for each release: its standing, its metrics, the data behind it, who promoted it first, and whether it is signed."""
    champion, entries = model.get("aliases", {}).get("champion"), model.get("versions", {})
    for manifest in manifests(root, name):
        version, data = manifest["version"], manifest["training"].get("coverage") or {}
        mine = (event for event in model.get("history", []) if (event["version"], event["action"]) == (version, "promote"))
        promoted, entry = next(mine, {}), entries.get(version)
        standing = "champion" if version == champion else "never promoted" if not entry else "yanked" if entry["yanked"] else "former"
        row = {"version": version, "standing": standing, "verdict": (manifest["gate"] or {}).get("decision", "")}
        row |= {metric["name"]: metric["value"] for metric in manifest["metrics"]}
        row |= {"series": data.get("series"), "data_from": data.get("from", ""), "data_to": data.get("to", ""), "missing_ratio": data.get("missing_ratio")}
        row |= {"promoted_at": minute(promoted.get("at")), "by": promoted.get("by", "")}
        yield row | {"signed": (root / "releases" / name / version / "model.sig").exists()}


def events(model):
    """Promotions, rollbacks and yanks; the newest first."""
    keys = ("action", "version", "previous", "by", "reason", "forced")
    return [{"at": minute(event["at"])} | {key: event[key] or "" for key in keys} for event in reversed(model.get("history", []))]


def gates(verdict):
    """The questions of a verdict and their answers."""
    for gate in verdict["gates"]:
        row = {"gate": gate["name"], "against": gate["baseline"], "outcome": gate["outcome"], "effect": percent(gate["estimate"])}
        yield row | {"interval": interval(gate["interval"]), "margin": percent(gate["margin"]), "p": p_value(gate["p_value"])}


def effects(points, margin=None):
    """What a chart shows of gates, or of the runs of a history."""
    for point in points:
        low, high = point["interval"] or (None, None)
        place = {"name": point.get("name"), "at": point.get("scheduled_at"), "outcome": point["outcome"]}
        yield place | {"effect": point.get("estimate", point.get("effect")), "low": low, "high": high, "margin": point.get("margin", margin)}


def live(models):
    """How the versions of a model stand."""
    keys = ("version", "standing", "series", "steps", "open_predictions", "completeness_ratio")
    return [{key: one[key] for key in keys} | {"last_step": minute(one["last_step"])} for one in models]


def errors(models):
    """The error of each version at the nearest horizon, step by step."""
    first = {one["version"]: next((metric for metric in one["metrics"] if metric["metric"] == "mape_ratio"), None) for one in models}
    return {version: metric["history"] for version, metric in first.items() if metric}


def alerts(found):
    keys = ("state", "severity", "name", "version", "reason")
    return [{"since": minute(alert["since"])} | {key: alert[key] for key in keys} for alert in found]


def runs(history):
    """The runs of a job; the newest first."""
    for point in reversed(history["points"]):
        row = {"at": minute(point["wall"]), "outcome": point["outcome"], "effect": percent(point["effect"])}
        yield row | {"interval": interval(point["interval"]), "e_value": point["e_value"], "reason": point["why"]}
