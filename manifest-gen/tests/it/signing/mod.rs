//! Signatures: the public client's answers on rebuilt probes, round trips, tampering, certificates, hostile input.

mod certificates;
mod client;
mod folder;
mod keys;
mod probes;
mod references;
mod round_trip;
mod tampering;
