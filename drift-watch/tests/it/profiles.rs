//! Profiles as `bench-compare profile` writes them.

use bench_compare::args::{Cli, Command};
use shared::format::profile::Profile;

use crate::replayed::data;

/// The profile of the model `LightGBM` on the forecast table in `tests/data/cv`.
pub(crate) fn of_lightgbm() -> Profile {
    let [table, train] = ["cv/bls_unemployment_cv.csv", "cv/bls_unemployment_train.csv"].map(data);
    let (table, train) = (table.display().to_string(), train.display().to_string());
    let line = ["bench-compare", "profile", &table, "--train", &train, "--model", "LightGBM", "--season", "12"];
    let parsed = shared::cli::parse_from::<Cli>(&line, &|_| None).unwrap();
    let Command::Profile(args) = parsed.arguments.command else { panic!("not a profile") };
    bench_compare::profile::profile(&args).unwrap()
}
