"""Scores of MODELS models on TASKS tasks, a row for each, as CSV: a leaderboard as large as one likes. Seeded.

    python3 bench/make_board.py FILE [MODELS TASKS]
"""
import random
import sys

path = sys.argv[1]
models, tasks = (int(text) for text in sys.argv[2:4]) if len(sys.argv) > 2 else (2000, 2000)
draw = random.Random(20261123)
scale = [draw.lognormvariate(0, 2) for _ in range(tasks)]
with open(path, "w", encoding="ascii") as out:
    out.write("model,task,mae,inference_s\n")
    for model in range(models):
        name = f"model_{model:04d}" if model else "seasonal_naive"
        skill = draw.gauss(0.8, 0.1) if model else 1.0
        for task in range(tasks):
            error = skill * scale[task] * draw.lognormvariate(0, 0.3)
            out.write(f"{name},set_{task % (tasks // 4 + 1):04d}/{task},{error:.10g},{draw.uniform(0.1, 60):.3f}\n")
