//! A DAG of Airflow 3.

use super::{
    Export, File, MARK, Model, Options, Reason, about, all, bounds, crontab, differences, model, on_the_wall, python,
    refused, shared_warnings, without_jitter,
};
use crate::job::{Job, Overlap};
use crate::schedule::written::{self, DayStars};

const NAME: &str = "Airflow";

/// With overlap = "allow" so many runs may be on at once.
const MOST_RUNS: u32 = 16;

/// What runs: the words as a list, without a shell, ended as the job wants it where Airflow ends the task.
const TASK: &str = r#"
    @task(retries=0, execution_timeout=LIMIT)
    def once():
        process = subprocess.Popen(ARGV)
        try:
            status = process.wait()
        except BaseException:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
        if status == 1:
            raise AirflowFailException("the job ran and is worse, or failed (exit status 1)")
        if status == 4:
            raise AirflowSkipException("inconclusive, or no new data (exit status 4)")
        if status != 0:
            raise AirflowException(f"wrong settings (2), or the run failed (3): exit status {status}")

    once()


rebench()
"#;

pub(super) fn fires(job: &Job) -> Result<Model, Vec<Reason>> {
    let schedule = on_the_wall(job)?;
    let pattern = crontab::pattern(&written::fields(&schedule, DayStars::Alone)?)?;
    Ok(Model::Airflow(model::Steps::new(pattern, schedule.zone())))
}

pub(super) fn export(job: &Job, options: &Options) -> Result<Export, Vec<Reason>> {
    let replace = (job.overlap == Overlap::Replace)
        .then(|| "Airflow does not end the last run for the next: overlap = \"replace\"".to_owned());
    let (model, ()) = all(fires(job), refused([replace]))?;
    let mut warnings = differences::of(&job.schedule, &model, NAME, options.now)?;
    warnings.extend(warnings_of(job));
    let body = dag(job, options)?;
    Ok(Export {
        files: vec![File { name: format!("rebench-cron-{}.py", job.name), head: String::new(), body }],
        warnings,
    })
}

fn dag(job: &Job, options: &Options) -> Result<String, Vec<Reason>> {
    let schedule = on_the_wall(job)?;
    let fields = written::fields(&schedule, DayStars::Alone)?;
    let words: Vec<String> = options.argv(job).iter().map(|word| python(word)).collect();
    let limit = bounds::longest(job);
    let limit =
        limit.map_or_else(|| "None".to_owned(), |limit| format!("datetime.timedelta(seconds={})", limit.as_secs()));
    Ok(format!(
        "# {MARK}.
import datetime
import signal
import subprocess

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from airflow.timetables.trigger import CronTriggerTimetable

ARGV = [{argv}]
# once keeps the limit of each attempt; this is a second fence around all of them.
LIMIT = {limit}
GRACE_SECONDS = {grace}


@dag(
    dag_id={id},
    description={about},
    schedule=CronTriggerTimetable({fields}, timezone={zone}),
    start_date=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs={runs},
    tags=[\"rebench-cron\"],
)
def rebench():{TASK}",
        argv = words.join(", "),
        grace = job.grace.as_secs().saturating_add(30),
        id = python(&format!("rebench-cron-{}", job.name)),
        about = python(&about(job)),
        fields = python(&fields),
        zone = python(schedule.zone().name()),
        runs = if job.overlap == Overlap::Allow { MOST_RUNS } else { 1 },
    ))
}

fn warnings_of(job: &Job) -> Vec<String> {
    let warnings = [
        (job.missed.most == 0).then(|| "Airflow starts the newest missed run all the same".to_owned()),
        (job.missed.most > 1).then(|| "Airflow catches up the newest missed run only".to_owned()),
        (job.missed.most > 0).then(|| "Airflow catches up a missed run however old it is".to_owned()),
        (job.overlap == Overlap::Forbid)
            .then(|| "a run that is due while the last one is on waits for its end".to_owned()),
        (job.overlap == Overlap::Allow).then(|| format!("no more than {MOST_RUNS} runs are on at once")),
        without_jitter(job, NAME),
    ];
    shared_warnings(job).into_iter().chain(warnings.into_iter().flatten()).collect()
}
