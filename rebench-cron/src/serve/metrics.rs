//! A snapshot as families of metrics, in the text format of Prometheus.

use std::borrow::Cow;

use jiff::Timestamp;
use shared::serve::{Exposition, Labels, Sample, receivers};

use super::snapshot::{JobView, Recorded, Snapshot, seconds};
use crate::store::{Outcome, SlotEnd};

/// Samples with labels in one answer: those of some thousand jobs.
const LABEL_BUDGET: usize = 100_000;

/// How a slot may end, all always there: a counter that begins must not leave a gap.
const ENDS: [SlotEnd; 8] = [
    SlotEnd::Judged(Outcome::Holds),
    SlotEnd::Judged(Outcome::Regressed),
    SlotEnd::Judged(Outcome::Improved),
    SlotEnd::Judged(Outcome::Inconclusive),
    SlotEnd::Judged(Outcome::Invalid),
    SlotEnd::Judged(Outcome::NotReproducible),
    SlotEnd::Judged(Outcome::NoNewData),
    SlotEnd::Failed,
];

/// All that a snapshot says.
pub fn text(snapshot: &Snapshot) -> String {
    let mut out = Exposition::new(false, LABEL_BUDGET);
    daemon(&mut out, snapshot);
    receivers(&mut out, "rebench", &snapshot.receivers);
    jobs(&mut out, snapshot);
    ends(&mut out, snapshot);
    out.finish()
}

fn daemon(out: &mut Exposition, snapshot: &Snapshot) {
    let Snapshot { version, pulse, untold, .. } = snapshot;
    let version = vec![("version", Cow::from(version))];
    out.gauges("rebench_build_info", "The version that runs.", [(version, 1.0)]);
    let help = "When the loop of the daemon last turned; it hangs where this grows old.";
    out.gauge("rebench_heartbeat_timestamp_seconds", help, seconds(snapshot.turned_at));
    let help = "Whether what the daemon does can be recorded, and slots that hosts share can be claimed.";
    out.gauge("rebench_records_writable", help, f64::from(pulse.trouble.is_none()));
    out.gauge("rebench_records_readable", "Whether the records can be read.", f64::from(untold.is_some()));
    let untold = untold.map(|count| (Vec::new(), count as f64));
    out.gauges("rebench_alerts_untold", "Transitions of alerts that are still to be handed to receivers.", untold);
    out.gauge("rebench_runs_running", "Runs that are on.", pulse.running as f64);
    out.gauge("rebench_runs_waiting", "Runs that wait for a place.", pulse.waiting as f64);
    out.histogram("rebench_queueing_seconds", "From when a slot was due until it was queued.", &pulse.queueing);
    let reloaded = pulse.reloaded.map(|(_, well)| (Vec::new(), f64::from(well)));
    let help = "Whether the latest reload of the settings succeeded.";
    out.gauges("rebench_config_last_reload_successful", help, reloaded);
}

fn jobs(out: &mut Exposition, snapshot: &Snapshot) {
    let mut gauge = |name: &str, help: &str, value: fn(&JobView) -> Option<f64>| {
        let samples = snapshot.jobs.iter().filter_map(|(job, view)| Some((of(job), value(view)?)));
        out.gauges(name, help, samples);
    };
    gauge("rebench_job_next_timestamp_seconds", "The next slot of a job.", |job| job.next.map(seconds));
    let help = "When a run of a job was last started.";
    gauge("rebench_job_last_run_timestamp_seconds", help, |job| last_run(job).map(seconds));
    let help = "Whether a slot of a job is due, no more on time, and nothing was decided on it.";
    gauge("rebench_job_overdue", help, |job| Some(f64::from(job.records.as_ref()?.overdue)));
    let help = "Evidence over all runs of a job that its model is no longer better.";
    gauge("rebench_job_e_value", help, |job| job.records.as_ref()?.tally.e_value);
    let help = "Relative difference to the baseline in the last run with one; above 0 the model is worse.";
    gauge("rebench_job_effect_ratio", help, |job| job.records.as_ref()?.tally.effect);
    let help = "How late the last run of a job was claimed.";
    gauge("rebench_lateness_seconds", help, |job| Some(job.records.as_ref()?.tally.lateness?.as_secs_f64()));
}

fn last_run(job: &JobView) -> Option<Timestamp> {
    job.records.as_ref()?.tally.last_run
}

fn ends(out: &mut Exposition, snapshot: &Snapshot) {
    let recorded = || snapshot.jobs.iter().filter_map(|(job, view)| Some((job, view.records.as_ref()?)));
    let each = |value: fn(&Recorded, SlotEnd) -> Option<f64>| {
        let pairs = recorded().flat_map(|(job, records)| ENDS.iter().map(move |end| (job, records, *end)));
        pairs.filter_map(move |(job, records, end)| -> Option<Sample<'_>> {
            Some((vec![("job", Cow::from(job)), ("outcome", Cow::from(name(end)))], value(records, end)?))
        })
    };
    let help = "How the last slot of a job that was run ended: 1 for that outcome, 0 for the others.";
    out.gauges("rebench_job_last_outcome", help, each(is_last));
    let help = "Slots that were run, by outcome.";
    out.counters("rebench_runs_total", help, each(|records, end| Some(count(records, end) as f64)));
    let skipped = recorded().map(|(job, records)| (of(job), records.tally.skipped as f64));
    out.counters("rebench_slots_skipped_total", "Slots that were not to be run.", skipped);
}

fn of(job: &str) -> Labels<'_> {
    vec![("job", Cow::from(job))]
}

fn is_last(records: &Recorded, end: SlotEnd) -> Option<f64> {
    records.tally.last_end.map(|last| f64::from(last == end))
}

fn count(records: &Recorded, end: SlotEnd) -> u64 {
    match end {
        SlotEnd::Judged(outcome) => records.tally.verdicts.get(&outcome).copied().unwrap_or(0),
        SlotEnd::Failed => records.tally.failed,
    }
}

fn name(end: SlotEnd) -> &'static str {
    match end {
        SlotEnd::Judged(outcome) => outcome.name(),
        SlotEnd::Failed => "failed",
    }
}
