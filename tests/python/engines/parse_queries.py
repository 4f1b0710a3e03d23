"""Whether sqlglot reads each query in its dialect, as one SELECT. parse_queries.py < {"trino": "…", …}"""

import json
import sys

import sqlglot
from sqlglot import exp

# It has none for DataFusion, whose grammar follows PostgreSQL's.
DIALECTS = {"datafusion": "postgres"}

for dialect, query in json.load(sys.stdin).items():
    (parsed,) = sqlglot.parse(query, read=DIALECTS.get(dialect, dialect), error_level=sqlglot.ErrorLevel.RAISE)
    assert isinstance(parsed, exp.Select), dialect
    assert not list(parsed.find_all(exp.Command)), dialect
