"""The values in drift-watch/tests/chunks.rs, in exact arithmetic: python3 tests/python/small_chunks.py"""

from fractions import Fraction
from math import sqrt
from statistics import mean, pstdev, stdev

state = 20261123


def uniform():
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return (state >> 11) / 2**53


def pairs(count, shift):
    rows = []
    for _ in range(count):
        actual = 50.0 + 100.0 * uniform()
        rows.append((actual, actual + 20.0 * (uniform() - 0.5) + shift))
    return rows


def errors(rows):
    exact = [(Fraction(y), Fraction(p)) for y, p in rows]
    return {
        "mape": [abs(p - y) / abs(y) for y, p in exact],
        "mae": [abs(p - y) for y, p in exact],
        "mse": [(p - y) ** 2 for y, p in exact],
        "mean_error": [p - y for y, p in exact],
    }


def metrics(rows):
    values = {name: float(mean(part)) for name, part in errors(rows).items()}
    return values | {"rmse": sqrt(values["mse"])}


def chunks(rows):
    return [metrics(rows[start : start + 20]) for start in range(0, len(rows), 20)]


reference, judged = pairs(50, 0.0), pairs(25, 4.0)
parts = errors(reference)
for name in ("mape", "mae", "mse", "rmse", "mean_error"):
    over = [chunk[name] for chunk in chunks(reference)]
    lower = mean(over) - 3 * pstdev(over)
    lower = lower if name == "mean_error" else max(lower, 0.0)
    unit = float(pstdev(parts["mse" if name == "rmse" else name]))
    if name == "rmse":
        unit = sqrt(unit**2 / (4 * float(mean(parts["mse"]))))
    print(f"{name}: limits {lower!r} {mean(over) + 3 * pstdev(over)!r}, sampling error of 20 rows {unit / sqrt(20)!r}")
    print(f"    judged {[chunk[name] for chunk in chunks(judged)]}")

parts = errors(judged)
actuals = [Fraction(y) for y, _ in judged]
total = sum((y - mean(actuals)) ** 2 for y in actuals)
print("sample:")
for name in ("mape", "mae", "mean_error"):
    print(f"    {name} {float(mean(parts[name]))!r} sd {float(stdev(parts[name]))!r}")
print(f"    rmse {sqrt(mean(parts['mse']))!r} r2 {float(1 - sum(parts['mse']) / total)!r} max {float(max(parts['mae']))!r}")
