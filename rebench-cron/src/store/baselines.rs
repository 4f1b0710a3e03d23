//! What jobs are held against.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde_json::json;
use shared::Result;

use super::column::{At, instant, path};
use super::{RunId, Store, events};

/// A model version that a job is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// Names it within the job.
    pub id: String,
    /// The job.
    pub job: String,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// What is compared with: a file or folder.
    pub path: PathBuf,
    /// Its digest.
    pub sha256: String,
    /// The run that it came from, if it is one of these records.
    pub run: Option<RunId>,
    /// Since when it is.
    pub promoted_at: Timestamp,
    /// Until when it was; nothing for the one that is.
    pub retired_at: Option<Timestamp>,
}

impl Store {
    /// Makes this the baseline of its job, and retires the one that was. Doing so again changes nothing; one that was retired
    /// comes back.
    ///
    /// # Errors
    /// [`shared::Error::Usage`] if the job is not defined; [`shared::Error::Environment`] if it cannot be written.
    pub fn promote(&self, baseline: &Baseline) -> Result<()> {
        let retire = "UPDATE baselines SET retired_at = ?3 WHERE job = ?1 AND id <> ?2 AND retired_at IS NULL";
        let insert = "INSERT INTO baselines (job, id, model, version, path, sha256, run, promoted_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (job, id) DO UPDATE SET model = ?3, version = ?4, path = ?5, sha256 = ?6, run = ?7,
                promoted_at = iif(retired_at IS NULL, promoted_at, ?8), retired_at = NULL";
        let Baseline { id, job, model, version, path: place, sha256, run, promoted_at, .. } = baseline;
        Ok(self.write(|transaction| {
            let live: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM baselines WHERE job = ?1 AND id = ?2 AND retired_at IS NULL)",
                params![job, id],
                |row| row.get(0),
            )?;
            transaction.execute(retire, params![job, id, At(*promoted_at)])?;
            let values = params![job, id, model, version, path(place), sha256, run, At(*promoted_at)];
            transaction.execute(insert, values)?;
            if !live {
                let detail = json!({ "baseline": id, "model": model, "version": version });
                events::note(transaction, "promoted", Some(job), *run, &detail, *promoted_at)?;
            }
            Ok(())
        })?)
    }

    /// All baselines that the job had, in the order of their promotion.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn baselines(&self, job: &str) -> Result<Vec<Baseline>> {
        let sql = "SELECT * FROM baselines WHERE job = ?1 ORDER BY promoted_at, retired_at IS NULL, id";
        self.look(|connection| connection.prepare_cached(sql)?.query_map([job], read)?.collect())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Baseline> {
    Ok(Baseline {
        id: row.get("id")?,
        job: row.get("job")?,
        model: row.get("model")?,
        version: row.get("version")?,
        path: PathBuf::from(row.get::<_, String>("path")?),
        sha256: row.get("sha256")?,
        run: row.get("run")?,
        promoted_at: row.get::<_, At>("promoted_at")?.0,
        retired_at: instant(row.get("retired_at")?),
    })
}
