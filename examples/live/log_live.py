"""Appends live records for drift-watch; one write a record, so that processes and threads may share a file."""
import json
from datetime import datetime, timezone


def _append(path, record):
    for key in ("issued_at", "target_time", "observed_at"):
        if key in record:
            time = record[key]
            if time.tzinfo is None:
                raise ValueError(f"{key} {time} has no time zone")
            record[key] = time.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    kept = {key: value for key, value in record.items() if value is not None}
    line = json.dumps(kept, allow_nan=False, default=float).encode() + b"\n"  # float: what numpy returns
    with open(path, "ab", buffering=0) as file:  # O_APPEND, and no buffer that would split the line
        if file.write(line) != len(line):
            raise OSError(f"{path}: the disk took only a part of the record")


def log_prediction(path, model, version, series, target_time, y_hat, *, issued_at=None, horizon=None, lo=None, hi=None, level=None, **segments):
    record = {"model": model, "version": version, "series": series, "issued_at": issued_at or datetime.now(timezone.utc), "target_time": target_time}
    record |= {"horizon": horizon, "y_hat": y_hat, "lo": lo, "hi": hi, "level": level}
    _append(path, record | {f"segment.{name}": str(value) for name, value in segments.items()})


def log_actual(path, series, target_time, y, *, observed_at=None, revision=None):
    _append(path, {"series": series, "target_time": target_time, "y": y, "observed_at": observed_at or datetime.now(timezone.utc), "revision": revision})
