"""A forecast table with everything that is awkward, and its training table. make_table.py FOLDER KIND

KIND says what the times are: naive, date, offset or integer. Writes cv.parquet and train.parquet, and for PostgreSQL
cv.csv, train.csv and tables.sql. The same KIND gives the same bytes of CSV.
"""

import math
import random
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SERIES = ["north", 'so"uth', "it's", "süd, ost", " lead", "NaN", "null", "1", "01", "a\nb", "back\\slash", "`tick`"]
SERIES += [f"shop {number:02}" for number in range(12)]
CUTOFFS, HORIZON, HISTORY = 16, 8, 60
CANDIDATE, BASELINE = "Light \"GBM\" é`\\'", "sea-sonal"
TYPES = {
    "naive": (pa.timestamp("us"), "TIMESTAMP"),
    "date": (pa.date32(), "DATE"),
    "offset": (pa.timestamp("us", "UTC"), "TIMESTAMPTZ"),
    "integer": (pa.int64(), "BIGINT"),
}


def time(kind, step):
    """The time of a step: days, or whole numbers."""
    if kind == "integer":
        return 1000 + step
    if kind == "date":
        return date(2024, 1, 1) + timedelta(days=step)
    return datetime(2024, 1, 1, 6, 30, tzinfo=timezone.utc if kind == "offset" else None) + timedelta(days=step)


def actual(dice, number, step):
    """Sales of a day, some of them zero, some unknown."""
    level = 40 + 3 * number + 9 * math.sin(step * math.tau / 7)
    value = round(max(0.0, dice.gauss(level, 8)), 2)
    return dice.choices([value, 0.0, float("nan"), None], [94, 4, 1, 1])[0]


def forecast(dice, value, spread, bias):
    """A forecast that is missing now and then, in each of the ways in which a number can be."""
    number = (value if value is not None and math.isfinite(value) else 50.0) + dice.gauss(bias, spread)
    return dice.choices([number, value, None, float("nan"), float("inf")], [960, 30, 4, 3, 3])[0]


def bounds(dice, number):
    """An interval, of which one end is missing now and then."""
    if number is None or not math.isfinite(number):
        return None, None
    low, high = number - dice.uniform(4, 16), number + dice.uniform(4, 16)
    return dice.choices([(low, high), (None, high), (low, float("nan"))], [96, 2, 2])[0]


def tables(kind):
    """The columns of both tables."""
    dice = random.Random(20261129)
    cv, train = {}, {"unique_id": [], "ds": [], "y": []}
    add = lambda table, row: [table.setdefault(name, []).append(value) for name, value in row.items()]
    for number, series in enumerate(SERIES):
        steps = HISTORY + CUTOFFS + HORIZON
        values = [actual(dice, number, step) for step in range(steps)]
        # One series is too short for a scale, another constant.
        first = HISTORY - 3 if number == 3 else 0
        if number == 4:
            values[:HISTORY + CUTOFFS] = [7.0] * (HISTORY + CUTOFFS)
        for step in range(first, HISTORY + CUTOFFS):
            add(train, {"unique_id": series, "ds": time(kind, step), "y": values[step]})
        for cutoff in range(HISTORY - 1, HISTORY - 1 + CUTOFFS):
            for ahead in range(1, HORIZON + 1):
                value = values[cutoff + ahead]
                candidate, baseline = forecast(dice, value, 5, 0.5), forecast(dice, value, 7, -0.5)
                low, high = bounds(dice, candidate)
                row = {"unique_id": series, "ds": time(kind, cutoff + ahead), "cutoff": time(kind, cutoff), "y": value}
                row |= {CANDIDATE: candidate, f"{CANDIDATE}-lo-90": low, f"{CANDIDATE}-hi-90": high, BASELINE: baseline}
                row |= {"h": ahead, "holiday": int((cutoff + ahead) % 9 == 0)}
                row |= {"promo": dice.choice([0.5, 1.0, 2.25, float("nan"), None])}
                row |= {"region": dice.choice(["Nord's", "Süd", "", "NA", None, "10", "9"]), "open": dice.choice([True, False])}
                add(cv, row)
    return cv, train


def arrow(table, kind):
    """Columns with the types that a lake has."""
    texts, whole = ("unique_id", "region"), ("h", "holiday")
    def column(name, values):
        if name in ("ds", "cutoff"):
            return pa.array(values, TYPES[kind][0])
        types = pa.string() if name in texts else pa.int64() if name in whole else pa.bool_() if name == "open" else pa.float64()
        return pa.array(values, types, from_pandas=False)
    return pa.table({name: column(name, values) for name, values in table.items()})


def field(value):
    """A CSV field for COPY … (FORMAT csv, NULL '\\N')."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return repr(value) if isinstance(value, float) else str(value)


def csv(table):
    return "".join(",".join(map(field, row)) + "\n" for row in zip(*table.values()))


def ddl(name, table, kind):
    kinds = {"unique_id": "TEXT", "region": "TEXT", "h": "INT", "holiday": "BIGINT", "open": "BOOLEAN"}
    kinds |= {"ds": TYPES[kind][1], "cutoff": TYPES[kind][1]}
    columns = [f'"{column.replace(chr(34), chr(34) * 2)}" {kinds.get(column, "DOUBLE PRECISION")}' for column in table]
    return f'CREATE TABLE "{name}" ({", ".join(columns)});\n'


def main():
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    named = dict(zip(("cv", "train"), tables(kind)))
    for name, table in named.items():
        pq.write_table(arrow(table, kind), folder / f"{name}.parquet", compression="zstd")
        (folder / f"{name}.csv").write_text(csv(table), encoding="utf-8")
    (folder / "tables.sql").write_text("".join(ddl(name, table, kind) for name, table in named.items()), encoding="utf-8")


if __name__ == "__main__":
    main()
