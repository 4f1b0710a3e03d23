//! A server of synthetic views on a free port of the loopback.

#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod browser;

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drift_watch::serve::{self, IngestBatch, Options, ReloadRequest, Reloads, Server};
use drift_watch::view::{
    AlertKind, AlertState, AlertView, DriverView, ExternalView, FeedView, MetricView, ModelView, ReceiverView, SCHEMA,
    SeriesView, Standing, View,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A running server and the far ends of its channels.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) view: watch::Sender<Arc<View>>,
    pub(crate) batches: Option<mpsc::Receiver<IngestBatch>>,
    pub(crate) reloads: Option<mpsc::Receiver<ReloadRequest>>,
    stop: CancellationToken,
    ended: std::sync::mpsc::Receiver<bool>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Served {
    pub(crate) fn start(view: View, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (view, receiver) = watch::channel(Arc::new(view));
        let (ingest, batches) = mpsc::channel(1);
        let (reload, reloads) = mpsc::channel(1);
        let state = Arc::new(Reloads::started("2026-01-02T03:04:05Z".parse().unwrap()));
        let server = Server { view: receiver, ingest, reload, reloads: state, options };
        let stop = CancellationToken::new();
        let (done, ended) = std::sync::mpsc::channel();
        let running = serve::run(listener, server, stop.clone());
        runtime.spawn(async move { done.send(running.await.is_ok()).unwrap() });
        let runtime = Some(runtime);
        Self { address, view, batches: Some(batches), reloads: Some(reloads), stop, ended, runtime }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers each batch by what `answer` says, from a thread of its own.
    pub(crate) fn answer(&mut self, answer: impl Fn(&IngestBatch) -> serve::IngestReply + Send + 'static) {
        let mut batches = self.batches.take().unwrap();
        std::thread::spawn(move || {
            while let Some(batch) = batches.blocking_recv() {
                let reply = answer(&batch);
                // A client that has gone away waits for nothing.
                _ = batch.reply.send(reply);
            }
        });
    }

    /// Stops the server; whether it ended well within the time.
    pub(crate) fn stop(mut self) -> bool {
        self.stop.cancel();
        let ended = self.ended.recv_timeout(Duration::from_secs(4)) == Ok(true);
        self.runtime.take().unwrap().shutdown_background();
        ended
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits for a condition, not for a time.
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether the program is there; in CI it must be.
pub(crate) fn installed(program: &str) -> bool {
    let there = std::process::Command::new(program).arg("--version").output().is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "{program} must be installed where CI is set");
    if !there {
        eprintln!("SKIPPED: {program} is not installed, so this test has shown nothing");
    }
    there
}

/// Names that must do no harm.
pub(crate) fn hostile_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "<script>document.title='owned'</script>",
        "<img src=x onerror=\"document.title='owned'\">",
        "\"><svg onload=document.title='owned'>",
        "' onmouseover='document.title=`owned`",
        "</textarea></title></style></script><b>bold</b>",
        "\u{202e}gnp.drawkcab\u{202c}",
        "line\nbreak\r\0null\u{7}",
        "👩\u{200d}🔬 emoji 🇩🇪 é 漢字",
        "{{ 7*7 }} ${7*7} &lt;b&gt; \\\" \\n",
        "",
        "=cmd|' /C calc'!A0",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("long-".repeat(2_000));
    names
}

fn history(level: f64, shift: f64, from: usize) -> Vec<Option<f64>> {
    let value = |step: usize| {
        let angle = step as f64 * TAU / 7.0;
        let noise = 0.05 * angle.sin() + 0.04 * (step as f64 * 1.7).cos() + 0.03 * (step as f64 * 0.31).sin();
        level * (1.0 + noise) + if step >= from { shift * (1.0 - (-((step - from) as f64) / 5.0).exp()) } else { 0.0 }
    };
    (0..84).map(|step| (step != 31 && step != 32).then(|| value(step))).collect()
}

fn metric(name: &str, horizon: &str, group: &str, level: f64, shift: f64, evidence: Option<f64>) -> MetricView {
    let history = history(level, shift, 66);
    MetricView {
        metric: name.into(),
        horizon: horizon.into(),
        group: group.into(),
        window: "28 steps".into(),
        value: history.last().copied().flatten(),
        n: 1568,
        baseline: Some(level),
        evidence_log10: evidence,
        limit_log10: evidence.map(|_| 3.7),
        history,
    }
}

fn metrics(shift: f64) -> Vec<MetricView> {
    let strong = if shift > 0.0 { 5.2 } else { 0.4 };
    let mut all = vec![
        metric("mape_ratio", "1", "all", 0.118, shift, Some(strong)),
        metric("mape_ratio", "2-7", "all", 0.157, shift * 0.9, Some(strong * 0.66)),
        metric("bias_ratio", "all", "all", -0.012, shift, Some(strong * 1.4)),
        metric("da_ratio", "1", "all", 0.683, -shift / 2.0, Some(0.9)),
        metric("coverage_ratio", "all", "all", 0.904, -shift, Some(strong * 0.4)),
        metric("wape_ratio", "all", "all", 0.104, shift, None),
        metric("rmse", "all", "all", 1204.0, shift * 6000.0, None),
    ];
    for region in ["north", "south", "east", "west"] {
        all.push(metric("mape_ratio", "all", &format!("region={region}"), 0.13, shift, None));
    }
    all
}

fn series(count: usize, shift: f64) -> Vec<SeriesView> {
    let one = |index: usize| {
        let rank = 1.0 - index as f64 / count as f64;
        SeriesView {
            series: format!("store_{:04}/item_{:02}", (index * 7919) % 10_000, index % 53),
            n: 196 - (index % 11) as u64,
            mape_ratio: (index % 97 != 96).then_some(0.09 + 0.2 * shift + 0.25 * rank.powi(6)),
            baseline_mape_ratio: Some(0.11 + 0.02 * (index as f64).sin()),
            bias_ratio: Some((shift + 0.02) * (index as f64 * 0.7).cos()),
            evidence_log10: Some(4.4 * rank.powi(9) - 0.2),
            warming: index % 19 == 18,
            discovered: shift > 0.0 && index < 7,
        }
    };
    (0..count).map(one).collect()
}

fn drivers() -> Vec<DriverView> {
    let parts = [
        ("region", "north", 0.61, true),
        ("series", "EWR_B6", 0.32, true),
        ("series", "JFK_DL", 0.24, true),
        ("series", "LGA_AA", 0.17, false),
        ("horizon", "1", 0.14, false),
        ("region", "south", 0.08, false),
        ("series", "EWR_UA", -0.07, false),
        ("region", "west", -0.11, false),
    ];
    let driver = |(by, name, share, named): (&str, &str, f64, bool)| DriverView {
        by: by.into(),
        name: name.into(),
        share_ratio: share,
        contribution: share * 0.04,
        named,
    };
    parts.map(driver).to_vec()
}

pub(crate) fn model(name: &str, version: &str, standing: Standing) -> ModelView {
    let shift = if standing == Standing::Drift { 0.05 } else { 0.0 };
    let warming = standing == Standing::Warming;
    let reason = match standing {
        Standing::Drift => {
            "MAPE at horizon 1 has risen from 11.8 % to 16.7 % since 2013-07-20; region north carries 61 % of it"
        }
        Standing::Feed => "its actuals have been silent for 9 h; nothing is said of its accuracy until they come again",
        Standing::Warming => "its baseline rests on 12 of 40 days of warm-up",
        Standing::Ok => "no metric differs from its baseline beyond chance",
    };
    ModelView {
        model: name.into(),
        version: version.into(),
        standing,
        reason: reason.into(),
        promise: "on average at least 5,000 target-time steps to the first false alarm of any kind, over all metrics, \
                  horizons and series; prewhitened at horizon 2-7: measured, not promised"
            .into(),
        series: 40,
        warming_series: if warming { 40 } else { 2 },
        open_predictions: 336,
        steps: 188,
        last_step: Some("2013-08-06T00:00:00Z".into()),
        last_issued: Some("2013-08-06T05:00:00Z".into()),
        completeness_ratio: Some(0.984),
        metrics: if warming {
            metrics(0.0).into_iter().map(|it| MetricView { baseline: None, evidence_log10: None, ..it }).collect()
        } else {
            metrics(shift)
        },
        drivers: if standing == Standing::Drift { drivers() } else { Vec::new() },
        worst_series: series(40, shift),
    }
}

pub(crate) fn alert(kind: AlertKind, state: AlertState, name: &str, model: &str, reason: &str) -> AlertView {
    AlertView {
        id: format!("{name}-{model}"),
        kind,
        state,
        name: name.into(),
        model: model.into(),
        version: if kind == AlertKind::Feed { String::new() } else { "2.1.0".into() },
        severity: if kind == AlertKind::Drift { "critical" } else { "warning" }.into(),
        since: "2013-07-22T06:00:00Z".into(),
        ended: (state == AlertState::Resolved).then(|| "2013-07-25T09:00:00Z".into()),
        reason: reason.into(),
        inhibited: false,
        labels: BTreeMap::new(),
        drivers: if kind == AlertKind::Drift {
            ["EWR_B6", "JFK_DL", "LGA_AA"].map(str::to_owned).to_vec()
        } else {
            Vec::new()
        },
    }
}

pub(crate) fn feed(name: &str, kind: &str, healthy: bool) -> FeedView {
    FeedView {
        name: name.into(),
        kind: kind.into(),
        healthy,
        reason: if healthy { String::new() } else { "no record for 9 h, expected each hour".into() },
        newest: Some("2013-08-06T00:00:00Z".into()),
        idle_seconds: Some(if healthy { 41.0 } else { 32_460.0 }),
        records: 131_072,
        bad_rows: if healthy { 0 } else { 17 },
        backlog_bytes: if healthy { 0 } else { 48_113 },
    }
}

fn receiver(name: &str, healthy: bool) -> ReceiverView {
    ReceiverView {
        name: name.into(),
        healthy,
        reason: if healthy { String::new() } else { "answers 503".into() },
        waiting: if healthy { 0 } else { 3 },
        refused: 0,
        delivered: 21,
        failures: if healthy { 0 } else { 5 },
        last_delivered: Some("2013-08-06T04:00:00Z".into()),
    }
}

pub(crate) fn steady() -> View {
    View {
        schema: SCHEMA.into(),
        version: "0.1.0".into(),
        time: Some("2013-08-06T05:30:00Z".into()),
        ready: true,
        models: vec![model("flights_lightgbm", "2.1.0", Standing::Ok)],
        feeds: vec![feed("live/predictions.jsonl", "predictions", true), feed("http", "actuals", true)],
        receivers: vec![receiver("alertmanager-1", true), receiver("webhook-1", false)],
        external: vec![ExternalView {
            name: "mlflow:e61f144a58734694a2220858d2108196/val/mape".into(),
            value: 0.07,
            time: "2013-08-06T03:00:00Z".into(),
        }],
        faults: [("duplicate_exact", 12), ("out_of_order", 3)].map(|(kind, n)| (kind.to_owned(), n)).into(),
        ..View::default()
    }
}

pub(crate) fn drifted() -> View {
    let models = vec![
        model("flights_lightgbm", "2.1.0", Standing::Drift),
        model("weather_ets", "1.4.2", Standing::Feed),
        model("flights_shadow", "3.0.0-rc.1", Standing::Warming),
        model("demand_theta", "1.0.0", Standing::Ok),
    ];
    let alerts = vec![
        alert(
            AlertKind::Drift,
            AlertState::Firing,
            "ForecastDrift",
            "flights_lightgbm",
            "evidence 10^5.2 against a limit of 10^3.7: MAPE at horizon 1 rose from 11.8 % to 16.7 %",
        ),
        alert(
            AlertKind::Feed,
            AlertState::Firing,
            "FeedStale",
            "weather_ets",
            "no predictions since 2013-08-05T20:30:00Z: 9 h ago, the limit is 3 h",
        ),
        alert(
            AlertKind::Rule,
            AlertState::Pending,
            "BiasAboveThreePercent",
            "flights_lightgbm",
            "bias 3.8 % is above 3 % for 1 of 2 days",
        ),
        alert(
            AlertKind::Rule,
            AlertState::Resolved,
            "MapeAboveTwentyPercent",
            "demand_theta",
            "MAPE was 22.1 %, above 20 %",
        ),
    ];
    let mut view = View { models, alerts, ..steady() };
    view.feeds.push(feed("live/weather/actuals.csv", "actuals", false));
    view
}

pub(crate) fn large() -> View {
    let mut view = steady();
    view.models[0].series = 5_000;
    view.models[0].worst_series = series(5_000, 0.0);
    view
}

pub(crate) fn hostile() -> View {
    let mut view = drifted();
    let names = hostile_names();
    let (model, long) = (&mut view.models[0], names.last().unwrap().clone());
    model.model.clone_from(&names[0]);
    model.version.clone_from(&names[5]);
    model.reason = format!("{} {long}", names[1]);
    for (name, series) in names.iter().zip(&mut model.worst_series) {
        series.series.clone_from(name);
    }
    for (name, driver) in names.iter().zip(&mut model.drivers) {
        driver.name.clone_from(name);
    }
    for (name, metric) in names.iter().zip(&mut model.metrics) {
        metric.group = if metric.group == "all" { "all".into() } else { format!("region={name}") };
        metric.window.clone_from(name);
    }
    view.alerts[0].name.clone_from(&names[1]);
    view.alerts[0].model.clone_from(&names[0]);
    view.alerts[0].reason.clone_from(&names[2]);
    view.alerts[0].drivers.clone_from(&names);
    view.feeds = names.iter().map(|name| feed(name, "actuals", false)).collect();
    view.faults = names.iter().map(|name| (name.clone(), 1)).collect();
    view
}
