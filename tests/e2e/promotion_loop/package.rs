//! Step 2: model and preprocessing as one release, named by digest, scanned, signed.

use super::Example;

const RELEASE: &str = "build/models/releases/departures/2.0.0";

#[test]
fn a_manifest_names_every_file_by_digest_and_says_what_the_model_is() {
    let example = Example::after("manifest");
    let manifest = example.json(&format!("{RELEASE}/manifest.json"));
    let artifacts = manifest["artifacts"].as_array().unwrap();
    let roles: Vec<&str> = artifacts.iter().map(|artifact| artifact["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["model", "preprocessing"]);
    for artifact in artifacts {
        let (role, path) = (artifact["role"].as_str().unwrap(), artifact["path"].as_str().unwrap());
        let source = example.sha256(&format!("artifacts/departures-2-{role}.joblib"));
        assert_eq!(artifact["sha256"], source);
        assert_eq!(example.sha256(&format!("{RELEASE}/{path}")), source);
    }
    // As train.py lists them, and the rows of benchmark_results.json have them.
    let features: Vec<&str> =
        manifest["features"].as_array().unwrap().iter().map(|feature| feature["name"].as_str().unwrap()).collect();
    assert_eq!(features, ["last", "season_ago", "usual", "long_mean", "h", "slot"]);
    let benchmark = example.json("results/benchmark_results.json");
    let row = benchmark["results"].as_array().unwrap().iter().find(|row| row["model_name"] == "LightGBM").unwrap();
    let metrics = manifest["metrics"].as_array().unwrap();
    let mape = metrics.iter().find(|metric| metric["name"] == "mape_ratio").unwrap();
    assert_eq!(mape["copied"], row["mape"]);
    assert!((mape["value"].as_f64().unwrap() - row["mape"].as_f64().unwrap() / 100.0).abs() < 1e-12);
    let training = &manifest["training"];
    assert_eq!((&training["window"]["to"], &training["refitted"]), (&"2013-06-30".into(), &true.into()));
    assert_eq!(training["data"][0]["sha256"], example.sha256("data/departures.csv"));
    assert_eq!((&training["coverage"]["series"], &training["coverage"]["rows"]), (&16.into(), &5840.into()));
    for kind in ["verdict", "profile", "report", "benchmark"] {
        let evidence =
            manifest["evidence"].as_array().unwrap().iter().find(|evidence| evidence["kind"] == kind).unwrap();
        let path = format!("{RELEASE}/{}", evidence["path"].as_str().unwrap());
        assert_eq!(evidence["sha256"], example.sha256(&path), "{kind}");
    }
}

#[test]
fn any_changed_byte_is_seen_and_named() {
    let example = Example::after("manifest");
    assert_eq!(example.run("manifest-gen verify departures 2").status, 0);
    for file in ["departures_v2.joblib", "preprocessing_departures_v2.joblib", "evidence/verdict.json", "model.sig"] {
        let path = example.path(&format!("{RELEASE}/{file}"));
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::File::create(&path).and_then(|mut to| std::io::Write::write_all(&mut to, &changed)).unwrap();
        let said = example.run("manifest-gen verify departures 2");
        assert_eq!(said.status, 1, "{file}: {}", said.stdout);
        let place = if file == "model.sig" { "signature" } else { file };
        assert!(said.stdout.contains(place), "{file}: {}", said.stdout);
        std::fs::File::create(&path).and_then(|mut to| std::io::Write::write_all(&mut to, &whole)).unwrap();
    }
    assert_eq!(example.run("manifest-gen verify departures 2").status, 0);
}

#[test]
fn a_signature_of_somebody_else_is_none() {
    let example = Example::after("manifest");
    let keys = "openssl ecparam -name prime256v1 -genkey -noout -out other.pem && openssl ec -in other.pem -pubout -out other.pub";
    assert_eq!(example.run(keys).status, 0);
    let said = example.run("manifest-gen verify departures 2 --public-key other.pub");
    assert_eq!(said.status, 1, "{}", said.stdout);
}

#[test]
fn a_pickle_that_would_run_code_is_not_packaged() {
    let example = Example::after("gate");
    example.write("artifacts/departures-2-preprocessing.joblib", "cos\nsystem\n(S'true'\ntR.");
    let said = example.try_make("manifest");
    assert_ne!(said.status, 0);
    assert!(said.stderr.contains("system"), "{}", said.stderr);
    assert!(!example.path(RELEASE).exists());
}
