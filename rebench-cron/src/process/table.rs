//! The table of processes, as `/proc` shows it.

use std::fs;
use std::path::{Path, PathBuf};

/// A process at the moment of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) pid: i32,
    pub(super) name: String,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    /// It has ended and waits to be collected.
    pub(super) ended: bool,
    /// When it was started, in clock ticks since boot: with the number it names one process only.
    pub(super) start_ticks: u64,
}

impl Row {
    /// What names this process and no later one of the same number.
    pub(super) fn id(&self) -> (i32, u64) {
        (self.pid, self.start_ticks)
    }
}

/// The process itself; nothing where `/proc` is missing, or is that of other numbers (another PID namespace).
pub(super) fn own() -> Option<Row> {
    let row = parse(&fs::read("/proc/self/stat").ok()?)?;
    (u32::try_from(row.pid) == Ok(std::process::id())).then_some(row)
}

/// The process of this number.
pub(super) fn read(pid: i32) -> Option<Row> {
    parse(&fs::read(file(pid, "stat")).ok()?)
}

/// All that can be seen. It is no snapshot: who starts or ends meanwhile may be missed.
pub(super) fn all() -> Vec<Row> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(read).collect()
}

/// The children of this process, in far less time than [`all`] takes; all that can be seen where the kernel does not list them.
pub(super) fn children(own: i32) -> Vec<Row> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists: Vec<String> =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok()).collect();
    if lists.is_empty() {
        return all().into_iter().filter(|row| row.parent == own).collect();
    }
    lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|pid| read(pid.parse().ok()?)).collect()
}

/// The most memory that the process has held so far.
pub(super) fn peak_rss_bytes(pid: i32) -> Option<u64> {
    peak_of_status(&fs::read_to_string(file(pid, "status")).ok()?)
}

/// What this variable was when the process was started; nothing where it may not be known.
pub(super) fn variable(pid: i32, name: &str) -> Option<String> {
    let environment = fs::read(file(pid, "environ")).ok()?;
    let value = |pair: &[u8]| Some(pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_owned());
    environment.split(|byte| *byte == 0).find_map(value).and_then(|value| String::from_utf8(value).ok())
}

/// What names this boot of the machine.
pub(super) fn boot_id() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

fn file(pid: i32, name: &str) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join(name)
}

/// The fields of proc(5), "stat". The name may hold anything, brackets and spaces too; what follows its last bracket may not.
fn parse(stat: &[u8]) -> Option<Row> {
    let text = String::from_utf8_lossy(stat);
    let (before, after) = text.rsplit_once(')')?;
    let (pid, name) = before.split_once(" (")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |place: usize| fields.get(place).and_then(|field| field.parse().ok());
    // A first thread that has ended looks the same while the others of its process go on.
    let threads: u64 = fields.get(17)?.parse().ok()?;
    Some(Row {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        ended: matches!(*fields.first()?, "Z" | "X") && threads <= 1,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

fn peak_of_status(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_fields() {
        let stat = b"42 (a) Z 1 (b) R 7 40 39 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 123456 999\n";
        let row = parse(stat).unwrap();
        let expected = Row {
            pid: 42,
            name: "a) Z 1 (b".to_owned(),
            parent: 7,
            group: 40,
            session: 39,
            ended: false,
            start_ticks: 123_456,
        };
        assert_eq!(row, expected);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"42 (x) R 7"), None);
    }

    #[test]
    fn a_first_thread_that_ended_is_no_ended_process() {
        let stat = |threads: u8| format!("42 (x) Z 7 40 39 0 -1 0 1 2 3 4 5 6 7 8 20 0 {threads} 0 5 0").into_bytes();
        assert!(parse(&stat(1)).unwrap().ended);
        assert!(!parse(&stat(2)).unwrap().ended);
    }

    #[test]
    fn the_peak_is_in_kibibytes() {
        assert_eq!(peak_of_status("VmPeak:\t  9 kB\nVmHWM:\t    1234 kB\n"), Some(1_263_616));
        assert_eq!(peak_of_status("State:\tZ (zombie)\n"), None);
    }

    #[test]
    fn we_are_in_the_table() {
        let own = own().unwrap();
        assert!(all().iter().any(|row| row.id() == own.id()));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(children(own.pid).iter().any(|row| u32::try_from(row.pid) == Ok(child.id())));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(peak_rss_bytes(own.pid).unwrap() > 100_000);
        assert_eq!(variable(own.pid, "PATH"), std::env::var("PATH").ok());
    }
}
