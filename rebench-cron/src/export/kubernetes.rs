//! A `CronJob` of Kubernetes.
//!
//! Its controller reads the five fields with robfig's parser: no `L`, `W` or `#`, and a star counts as free only alone. The
//! published schema checks neither the fields nor the words for policies, so that both are checked here.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{
    Export, File, MARK, Model, Options, Reason, about, all, bounds, crontab, differences, on_the_wall, refused,
    shared_warnings, without_jitter, yaml,
};
use crate::job::{Job, Overlap};
use crate::schedule::written::{self, DayStars};
use crate::schedule::{Dst, Schedule};

const NAME: &str = "Kubernetes";

/// The names of its Jobs are up to 11 letters longer, and labels hold 63.
const LONGEST_NAME: usize = 52;

const PREFIX: &str = "rebench-cron-";

/// The controller looks every ten seconds: with less than that it may start nothing.
const SHORTEST_DEADLINE: Duration = Duration::from_mins(1);

/// With more than 100 missed runs within the deadline the controller complains.
const MOST_MISSED: u32 = 90;

/// What becomes of a run that is due while the last one is on, in the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConcurrencyPolicy {
    Allow,
    Forbid,
    Replace,
}

impl ConcurrencyPolicy {
    fn of(overlap: Overlap) -> Self {
        match overlap {
            Overlap::Forbid | Overlap::Queue => Self::Forbid,
            Overlap::Replace => Self::Replace,
            Overlap::Allow => Self::Allow,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Forbid => "Forbid",
            Self::Replace => "Replace",
        }
    }
}

pub(super) fn fires(job: &Job) -> Result<Model, Vec<Reason>> {
    let schedule = on_the_wall(job)?;
    let pattern = crontab::pattern(&written::fields(&schedule, DayStars::Alone)?)?;
    Ok(Model::Any(vec![Schedule::new(pattern, schedule.zone().clone(), Dst::Instant)]))
}

pub(super) fn export(job: &Job, options: &Options) -> Result<Export, Vec<Reason>> {
    let no_image = options.image.is_none().then(|| "--image says which image has the program".to_owned());
    let (model, ()) = all(fires(job), refused([no_image]))?;
    let mut warnings = differences::of(&job.schedule, &model, NAME, options.now)?;
    let name = name(&job.name);
    warnings.extend(warnings_of(job, options, &name));
    let body = manifest(job, options, &name)?;
    Ok(Export {
        files: vec![File { name: format!("rebench-cron-{}.yaml", job.name), head: String::new(), body }],
        warnings,
    })
}

/// A name as DNS has them; one that had to be changed ends with a hash, so that no two jobs get the same.
fn name(job: &str) -> String {
    let room = LONGEST_NAME - PREFIX.len();
    let plain = job.to_ascii_lowercase().replace('_', "-");
    if plain == job && job.len() <= room && !job.ends_with('-') {
        return format!("{PREFIX}{job}");
    }
    let digest = Sha256::digest(job);
    let hash = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let kept: String = plain.chars().take(room - hash.len() - 1).collect();
    format!("{PREFIX}{}-{hash}", kept.trim_end_matches('-'))
}

fn manifest(job: &Job, options: &Options, name: &str) -> Result<String, Vec<Reason>> {
    let schedule = on_the_wall(job)?;
    let fields = written::fields(&schedule, DayStars::Alone)?;
    let deadline = deadline(job, options.now).as_secs();
    let limit = bounds::longest(job);
    let limit = limit.map_or_else(String::new, |limit| format!("      activeDeadlineSeconds: {}\n", limit.as_secs()));
    let (volume, mount) = volume(options);
    let words = options.argv(job).map(|word| format!("                - {}\n", yaml(&word))).concat();
    Ok(format!(
        "# {MARK}.
# {about}
# once ends with 0: good, 1: worse, 2: wrong settings, 3: failed, 4: inconclusive. Kubernetes takes all but 0 for failed.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: rebench-cron
spec:
  schedule: {fields}
  timeZone: {zone}
  concurrencyPolicy: {policy}
  startingDeadlineSeconds: {deadline}
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 5
  jobTemplate:
    spec:
      # once tries again by itself where that may help, and a regression is no reason to.
      backoffLimit: 0
{limit}      podFailurePolicy:
        rules:
          - action: FailJob
            onExitCodes:
              containerName: once
              operator: In
              values: [1, 2, 3, 4]
      template:
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: {grace}
{volume}          containers:
            - name: once
              image: {image}
              workingDir: {folder}
              command:
{words}{mount}",
        about = about(job),
        name = yaml(name),
        fields = yaml(&fields),
        zone = yaml(schedule.zone().name()),
        policy = ConcurrencyPolicy::of(job.overlap).name(),
        grace = job.grace.as_secs().saturating_add(30),
        image = yaml(options.image.as_deref().unwrap_or_default()),
        folder = yaml(options.folder()),
    ))
}

fn volume(options: &Options) -> (String, String) {
    let Some(claim) = &options.claim else { return (String::new(), String::new()) };
    let volume = format!(
        "          volumes:\n            - name: work\n              persistentVolumeClaim:\n                claimName: {}\n",
        yaml(claim)
    );
    let mount = format!(
        "              volumeMounts:\n                - name: work\n                  mountPath: {}\n",
        yaml(options.folder())
    );
    (volume, mount)
}

/// How late a run may start.
fn deadline(job: &Job, now: Timestamp) -> Duration {
    if job.missed.most == 0 {
        return SHORTEST_DEADLINE;
    }
    let most = bounds::period(job, now).map_or(Duration::MAX, |period| period.saturating_mul(MOST_MISSED));
    bounds::missed_age(job, now).min(most).max(SHORTEST_DEADLINE)
}

fn warnings_of(job: &Job, options: &Options, name: &str) -> Vec<String> {
    let warnings = [
        (name.strip_prefix(PREFIX) != Some(&job.name)).then(|| format!("it is called {name} there")),
        (job.missed.most > 1).then(|| "Kubernetes catches up the newest missed run only".to_owned()),
        (job.missed.most == 0).then(|| format!("a run that is up to {} s late is still started", SHORTEST_DEADLINE.as_secs())),
        (job.overlap == Overlap::Forbid)
            .then(|| "a run that is due while the last one is on starts when that ends, within startingDeadlineSeconds".to_owned()),
        options.claim.is_none().then(|| "records and results are lost with the pod: --claim NAME mounts a volume at the folder of promotion.toml".to_owned()),
        without_jitter(job, NAME),
        Some("exit status 4 (inconclusive) counts as a failed Job: Kubernetes knows no other success than 0".to_owned()),
    ];
    shared_warnings(job).into_iter().chain(warnings.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_dns_and_stay_apart() {
        assert_eq!(name("walmart-weekly"), "rebench-cron-walmart-weekly");
        // printf Retail_A | sha256sum begins with 5 hex pairs that no other job has.
        let (one, other) = (name("Retail_A"), name("retail-a"));
        assert_ne!(one, other);
        assert!(one.starts_with("rebench-cron-retail-a-"), "{one}");
        let long = name(&"x".repeat(64));
        assert!(long.len() <= LONGEST_NAME, "{long}");
        assert!(!name("a-").ends_with('-'));
    }
}
