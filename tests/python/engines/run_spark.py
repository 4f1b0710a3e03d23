"""Runs a query on a Spark cluster of two executors, one of which is killed meanwhile. run_spark.py FOLDER QUERY OUT

FOLDER holds cv.parquet and train.parquet; OUT gets the folders parquet and csv. Each row of cv waits in an executor until the
other tasks' executor has been killed, so that the job cannot end before. Prints JSON: how many executors were lost.
"""

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

PATIENCE = 120


def session():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.ui.port": "0",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("statistics")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def waiting(marker):
    """A column as it is, once the marker is there."""
    path = str(marker)

    def wait(value):
        end = time.monotonic() + PATIENCE
        while not os.path.exists(path) and time.monotonic() < end:
            time.sleep(0.05)
        return value

    return udf(wait, "double")


def executors():
    """The processes of executors below this one."""
    parents, found = {}, []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
                if b"CoarseGrainedExecutorBackend" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass

    def is_ours(process):
        while process in parents:
            if process == os.getpid():
                return True
            process = parents[process]
        return False

    return [process for process in found if is_ours(process)]


def kill_one(spark, marker):
    """Kills an executor once tasks run, then lets the rest go on."""
    tracker, end = spark.sparkContext.statusTracker(), time.monotonic() + PATIENCE
    running = lambda: sum(tracker.getStageInfo(stage).numActiveTasks for stage in tracker.getActiveStageIds())
    while running() < 2 and time.monotonic() < end:
        time.sleep(0.05)
    victims = [process for process in executors() if is_leaf(process)]
    os.kill(victims[0], signal.SIGKILL)
    marker.touch()


def is_leaf(process):
    """Spark starts an executor by way of a shell in some settings; the JVM itself is meant."""
    return b"java" in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0]


def lost(spark):
    context = spark.sparkContext
    url = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/allexecutors"
    with urllib.request.urlopen(url) as answer:
        known = json.load(answer)
    return sum(not executor["isActive"] for executor in known if executor["id"] != "driver")


def main():
    folder, query, out = Path(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8"), Path(sys.argv[3])
    marker = out / "killed"
    spark = session()
    table = spark.read.parquet(str(folder / "cv.parquet")).repartition(8)
    table.withColumn("y", waiting(marker)("y")).createOrReplaceTempView("cv")
    spark.read.parquet(str(folder / "train.parquet")).createOrReplaceTempView("train")
    killer = threading.Thread(target=kill_one, args=(spark, marker))
    killer.start()
    spark.sql(query).write.parquet(str(out / "parquet"))
    killer.join()
    csv = {"header": "true", "escape": '"', "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}
    spark.read.parquet(str(out / "parquet")).repartition(3).write.options(**csv).csv(str(out / "csv"))
    print(json.dumps({"lost": lost(spark)}))
    spark.stop()


if __name__ == "__main__":
    main()
