"""Runs the query of `bench-compare sql` in Spark and writes the statistics as part files.

    spark-submit statistics.py QUERY OUT [VIEW=PATH …]

QUERY is the file with the query, OUT the folder to be written: it must not be there. VIEW=PATH makes a table of files, CSV or
Parquet; tables of the catalogue need none.
"""

import sys
from pathlib import Path

from pyspark.sql import SparkSession

SETTINGS = {
    # Times without an offset in slices are read as UTC by bench-compare, so here too.
    "spark.sql.session.timeZone": "UTC",
    # A text that is no number stops the job, where it would silently be none.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
}


def view(spark, name, path):
    """A table of files."""
    if path.endswith(".csv"):
        table = spark.read.csv(path, header=True, inferSchema=True)
    else:
        table = spark.read.parquet(path)
    table.createOrReplaceTempView(name)


def main(query, out, *views):
    builder = SparkSession.builder.appName("forecast statistics")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    for name, path in (text.split("=", 1) for text in views):
        view(spark, name, path)
    spark.sql(Path(query).read_text(encoding="utf-8")).write.parquet(out)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
