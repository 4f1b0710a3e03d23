//! Signatures: the public client's answers on rebuilt probes, round trips, tampering, certificates, hostile input.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod certificates;
mod client;
mod folder;
mod keys;
mod probes;
mod references;
mod round_trip;
mod tampering;
