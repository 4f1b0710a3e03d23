"""Runs the dashboard without a browser, in the working folder, and prints what it shows as JSON.

check_dashboard.py DASHBOARD    cards, texts, tables by section, and for each release what its verdict shows
"""

import json
import sys
from pathlib import Path

from streamlit.testing.v1 import AppTest


def sections(app):
    """The tables below each heading."""
    found, heading = {}, None
    for element in app.main:
        if element.type == "subheader":
            heading = element.value
        elif element.type == "dataframe":
            found.setdefault(heading, []).append(json.loads(element.value.to_json(orient="records")))
    return found


def shown(app):
    return {
        "exceptions": [error.value for error in app.exception],
        "cards": {metric.label: [metric.value, metric.delta] for metric in app.metric},
        "texts": [text.value for text in app.text],
        "notes": [note.value for note in [*app.caption, *app.info]],
        "badges": [mark.value for mark in app.markdown],
        "tables": sections(app),
    }


def main(dashboard):
    sys.path.insert(0, str(Path(dashboard).parent))
    app = AppTest.from_file(dashboard, default_timeout=120).run()
    answer = shown(app)
    for release in (box for box in app.selectbox if box.label == "Release"):
        answer["verdicts"] = {version: shown(release.select(version).run()) for version in release.options}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
