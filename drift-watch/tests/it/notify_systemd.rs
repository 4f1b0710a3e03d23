//! What systemd is told, received on a socket of the test's own, by a process of its own: the environment is read once.
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use shared::systemd::Systemd;

/// Runs as the service in a child process; by itself it tells nobody.
#[test]
fn service() {
    let systemd = Systemd::from_env();
    let every = systemd.alive_every().map_or(0, |every| every.as_millis());
    systemd.ready(&format!("every {every} ms"));
    systemd.alive();
    systemd.reloading();
    systemd.status("two\nSTOPPING=1");
    systemd.stopping("draining");
}

/// Runs [`service`] in another process, with `watchdog` microseconds, and returns the datagrams that it sent.
fn told(watchdog: Option<&str>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "notify_systemd::service"])
        .env("NOTIFY_SOCKET", &path)
        .env_remove("WATCHDOG_PID")
        .env_remove("WATCHDOG_USEC");
    child.envs(watchdog.map(|period| ("WATCHDOG_USEC", period)));
    assert!(child.output().unwrap().status.success());
    let mut bytes = [0; 4096];
    std::iter::from_fn(|| {
        let length = socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8(bytes[..length].to_vec()).unwrap())
    })
    .collect()
}

#[test]
fn each_state_is_one_datagram_of_assignments() {
    let told = told(Some("30000000"));
    assert_eq!(told.len(), 5, "{told:?}");
    // Less than half of the period: the manual of sd_watchdog_enabled asks for at most half.
    assert_eq!(told[0].trim_end(), "READY=1\nSTATUS=every 10000 ms");
    assert_eq!(told[1].trim_end(), "WATCHDOG=1");
    let microseconds = told[2].trim_end().strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let told_seconds = microseconds.parse::<f64>().unwrap() / 1e6;
    assert!(told_seconds <= uptime + 1.0 && told_seconds > 0.0, "{told_seconds} {uptime}");
    assert_eq!(told[3].trim_end(), "STATUS=two STOPPING=1");
    assert_eq!(told[4].trim_end(), "STOPPING=1\nSTATUS=draining");
}

#[test]
fn without_a_watchdog_no_sign_is_asked_for() {
    assert_eq!(told(None)[0].trim_end(), "READY=1\nSTATUS=every 0 ms");
}
