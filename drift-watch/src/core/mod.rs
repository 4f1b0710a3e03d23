//! Decisions: values in, values out. No clock, file, socket or thread-local generator.
//!
//! Records go into the [`engine`]; it keeps actuals ([`history`]) and forecasts ([`forecasts`]), both as [`lists`] side by side whose times are
//! [`interned`], closes target times ([`step`])
//! in their order, counts pairs ([`pair`], [`tally`], [`exact`]), learns what is usual ([`learned`]), and shows scores ([`score`])
//! to detectors ([`detector`], [`series_watch`]) that share one promise ([`family`]). [`rule`]s, [`classics`] and [`alerts`] turn that into alerts, [`attribution`]
//! says where a change sits, [`summary`] what there is to see.

pub mod alerts;
pub mod attribution;
pub mod board;
pub mod bucket;
pub mod by_series;
pub mod chunk;
pub mod classics;
pub mod detector;
pub mod engine;
pub mod exact;
pub mod external;
pub mod family;
pub mod faults;
pub mod feeds;
pub mod fleet;
pub mod forecasts;
pub mod history;
pub mod interned;
pub mod lag;
pub mod learned;
pub mod lists;
pub mod members;
pub mod moments;
pub mod names;
pub mod pair;
pub mod rule;
pub mod rules;
pub mod sample;
pub mod score;
pub mod season;
pub mod series_watch;
pub mod settings;
pub mod step;
pub mod summary;
pub mod tally;
pub mod time;
pub mod verdicts;
pub mod watched;
