//! Pings to a monitor that raises an alarm when they stay away, a dead man's switch, in the protocol of healthchecks.io.
//!
//! A run says that it starts, and then how it ended; both carry the same run id, so that the monitor knows how long it took.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::digest;
use crate::error::{Error, Result};
use crate::secret::Secret;

use super::backoff;
use super::endpoint::{Answer, Endpoint, Network};
use super::receiver::Outcome;

/// How much of a body monitors keep, in bytes.
pub const MOST_PING_BYTES: usize = 100_000;

/// The longest that a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest that a ping may take, all attempts and pauses together.
const TOTAL: Duration = Duration::from_secs(10);

/// How often it is tried.
const ATTEMPTS: u32 = 3;

/// How long a monitor that has counted too many pings wants to be left alone.
const RATE_PAUSE: Duration = Duration::from_mins(1);

/// Parts of an address at least so long are keys, in bytes: UUIDs have 36, the keys of projects 22.
const FEWEST_KEY_BYTES: usize = 16;

/// The namespace of run ids, so that no other use of a token gives the same UUID.
const RUNS: [u8; 16] = *b"forecast-run-ids";

/// A check of a monitor.
#[derive(Clone)]
pub struct Ping {
    endpoint: Endpoint,
    limit: Duration,
    /// Parts of the address that no message shows, should an answer repeat them.
    keys: Vec<Secret>,
}

/// What a ping says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Start,
    Success,
    Fail,
    ExitStatus(u8),
    Log,
}

impl Signal {
    fn path(self) -> String {
        match self {
            Self::Start => "/start".to_owned(),
            Self::Success => String::new(),
            Self::Fail => "/fail".to_owned(),
            Self::ExitStatus(code) => format!("/{code}"),
            Self::Log => "/log".to_owned(),
        }
    }
}

impl Ping {
    /// The check with this ping address, such as `https://hc-ping.com/UUID`; whoever knows it can ping, so it is a secret.
    /// Nothing is sent yet. Of the limit in time the smaller one holds: that of the network, or ten seconds.
    ///
    /// # Errors
    /// [`Error::Usage`] if the address is none that may be used.
    pub fn new(url: &Secret, network: Network) -> Result<Self> {
        let limit = network.timeout.min(TOTAL);
        let network = Network { timeout: limit, connect: network.connect.min(CONNECT), ..network };
        let endpoint = Endpoint::new("ping", url, network)?;
        let keys = endpoint.path().split('/').filter(|part| part.len() >= FEWEST_KEY_BYTES);
        Ok(Self { keys: keys.map(Secret::new).collect(), endpoint, limit })
    }

    /// Scheme and host of its address, the only part that may be shown.
    pub fn origin(&self) -> &str {
        self.endpoint.origin()
    }

    /// Says that a run starts. `run` is any text that names this run alone.
    pub fn start(&self, run: &str) -> Outcome {
        self.send(Signal::Start, run, "")
    }

    /// Says that a run went well; of a body longer than [`MOST_PING_BYTES`] the end is sent.
    pub fn success(&self, run: &str, body: &str) -> Outcome {
        self.send(Signal::Success, run, body)
    }

    /// Says that a run failed.
    pub fn fail(&self, run: &str, body: &str) -> Outcome {
        self.send(Signal::Fail, run, body)
    }

    /// Says with which status a run exited; all but 0 are failures.
    pub fn exit_status(&self, run: &str, code: u8, body: &str) -> Outcome {
        self.send(Signal::ExitStatus(code), run, body)
    }

    /// Has something noted that is neither a success nor a failure.
    pub fn log(&self, run: &str, body: &str) -> Outcome {
        self.send(Signal::Log, run, body)
    }

    /// Tries a few times, all of them within the limit, since whoever pings waits for it.
    fn send(&self, signal: Signal, run: &str, body: &str) -> Outcome {
        let endpoint = self.endpoint.clone().extended(&signal.path(), ("rid", &run_id(run)));
        let started = Instant::now();
        let mut failures = 0;
        loop {
            let outcome = self.attempt(&endpoint, tail(body), self.limit.saturating_sub(started.elapsed()));
            failures += 1;
            let in_time = |pause: &Duration| started.elapsed() + *pause < self.limit;
            let Some(pause) = pause(&outcome, failures, seed(run)).filter(in_time) else { return outcome };
            std::thread::sleep(pause);
        }
    }

    fn attempt(&self, endpoint: &Endpoint, body: &str, limit: Duration) -> Outcome {
        let kind = "text/plain; charset=utf-8";
        match endpoint.post_as(kind, body.as_bytes().to_vec(), |request| request.timeout(limit)) {
            Ok(answer) => self.judge(endpoint, &answer),
            Err(error) => Outcome::Later { error, after: None },
        }
    }

    /// Addresses by UUID are answered 200 even where the ping was thrown away; the body says so then.
    fn judge(&self, endpoint: &Endpoint, answer: &Answer) -> Outcome {
        let keys: Vec<&Secret> = self.keys.iter().collect();
        match (answer.is_success(), answer.body.trim_ascii()) {
            (true, b"OK (not found)") => Outcome::Refused(format!("{}: it knows no such check", self.origin())),
            (true, b"OK (rate limited)") => {
                let help = "a check takes a few pings a minute";
                let what = format!("{}: too many pings, this one does not count", self.origin());
                Outcome::Later {
                    error: Error::Environment { what, help: Some(help.to_owned()) },
                    after: Some(RATE_PAUSE),
                }
            }
            _ => Outcome::of(endpoint, answer, &keys),
        }
    }
}

impl std::fmt::Debug for Ping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ping({})", self.origin())
    }
}

/// The run id that the pings of a run carry: always the same UUID for the same text.
pub fn run_id(run: &str) -> String {
    uuid(&RUNS, run)
}

/// A UUID of version 8 from a namespace and a name, by SHA-256 (RFC 9562, appendix B.2).
fn uuid(namespace: &[u8; 16], name: &str) -> String {
    let hash = Sha256::new().chain_update(namespace).chain_update(name).finalize();
    let mut bytes: [u8; 16] = std::array::from_fn(|index| hash[index]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = digest::hex(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// What spreads the pauses of different runs.
fn seed(run: &str) -> u64 {
    run.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()))
}

/// How long to wait before the next attempt; nothing if there is none.
fn pause(outcome: &Outcome, failures: u32, seed: u64) -> Option<Duration> {
    match outcome {
        Outcome::Later { after, .. } if failures < ATTEMPTS => {
            Some(backoff(failures, seed).max(after.unwrap_or_default()))
        }
        _ => None,
    }
}

/// The end of a body, where a program says how it failed, cut at a character.
fn tail(body: &str) -> &str {
    &body[body.ceil_char_boundary(body.len().saturating_sub(MOST_PING_BYTES))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uuid_is_that_of_the_standard() {
        // RFC 9562, appendix B.2: the namespace of DNS names and www.example.com.
        let dns = [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(uuid(&dns, "www.example.com"), "5c146b14-3c52-8afd-938a-375d0df1fbf6");
        assert_ne!(run_id("a"), run_id("b"));
    }

    #[test]
    fn the_end_of_a_long_body_is_kept() {
        let body = format!("{}end", "ä".repeat(MOST_PING_BYTES));
        // Two bytes a character: 100,000 less three leaves an odd number, of which the half character is dropped.
        assert_eq!((tail(&body).len(), tail(&body).ends_with("äend"), tail("short")), (99_999, true, "short"));
        assert_eq!(tail(&"x".repeat(MOST_PING_BYTES + 1)).len(), MOST_PING_BYTES);
    }

    #[test]
    fn only_what_may_be_mended_is_tried_again_and_not_for_ever() {
        let later = |after| {
            let error = Error::Environment { what: "down".to_owned(), help: None };
            Outcome::Later { error, after }
        };
        let asked = Duration::from_secs(7);
        assert_eq!(pause(&later(Some(asked)), 1, 0), Some(asked));
        assert!(pause(&later(None), 2, 0).is_some_and(|pause| pause < Duration::from_secs(2)));
        assert_eq!(pause(&later(None), ATTEMPTS, 0), None);
        assert_eq!((pause(&Outcome::Delivered, 1, 0), pause(&Outcome::Refused(String::new()), 1, 0)), (None, None));
    }
}
