//! Steps 3 and 4: the registry and its documents; consumers resolve the champion, and nothing else; the way back.

use super::Example;

#[test]
fn a_promotion_sets_the_alias_and_its_history_says_how() {
    let example = Example::after("promote");
    let registry = example.json("build/models/registry.json");
    let model = &registry["models"]["departures"];
    assert_eq!(model["aliases"]["champion"], "2.0.0");
    let history = model["history"].as_array().unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[0]["forced"], "in service since before this registry");
    assert!(history[1]["forced"].is_null() && history[1]["previous"] == "1.0.0", "{}", history[1]);
    for kind in ["tests", "lint"] {
        let evidence =
            history[1]["evidence"].as_array().unwrap().iter().find(|evidence| evidence["kind"] == kind).unwrap();
        assert_eq!(evidence["sha256"], example.sha256(&format!("build/models/{}", evidence["path"].as_str().unwrap())));
    }
}

#[test]
fn what_speaks_against_a_promotion_stops_it() {
    let example = Example::after("manifest");
    let refused = |words: &str, why: &str| {
        let said = example.run(&format!("cp models.md build/MODELS.md; manifest-gen promote {words}"));
        assert_eq!(said.status, 1, "{words}: {}{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(why), "{words}: {}", said.stderr);
        assert!(!example.read("build/models/registry.json").contains("2.0.0"), "{words}");
    };
    refused("departures 1", "no verdict");
    let failed = example.read("quality/junit.xml").replacen(" />", "><failure/></testcase>", 1);
    example.write("failed.xml", &failed);
    refused("departures 2 --evidence tests=failed.xml", "1 failed");
    refused("departures 2 --expect 1.0.0", "1.0.0");
    // A verdict that speaks about other bytes: the candidate with a preprocessing that nobody has tested.
    example.run("cp artifacts/departures-1-preprocessing.joblib artifacts/departures-2-preprocessing.joblib");
    let line = example.run("make -n manifest -W artifacts/departures-2-model.joblib | tr -d '\\\\\\n' | grep -o 'manifest-gen new departures 2.*report.html'").stdout;
    let line = line.trim().replacen("departures 2", "departures 3", 1);
    assert_eq!(example.run(&format!("{line} --root elsewhere")).status, 0, "{line}");
    let said = example.run("manifest-gen promote departures 3 --root elsewhere --readme models.md");
    assert_eq!(said.status, 1, "{}", said.stderr);
    assert!(said.stderr.contains("preprocessing"), "{}", said.stderr);
}

#[test]
fn a_release_that_carries_a_rejection_is_not_promoted() {
    let example = Example::new();
    // The forecasts of the two models change places, and whoever runs the gate goes on after its "no".
    example.run("sed -i '1s/LightGBM/X/; 1s/Ridge/LightGBM/; 1s/X/Ridge/' results/departures.csv");
    example.run("sed -i 's|departures -o $@$|departures -o $@; test $$? -eq 1|' Makefile");
    let said = example.try_make("promote");
    assert_eq!(said.status, 2, "{}", said.stdout);
    assert!(said.stderr.contains("2.0.0 is not promoted: the verdict is reject"), "{}", said.stderr);
    assert_eq!(example.json("build/models/registry.json")["models"]["departures"]["aliases"]["champion"], "1.0.0");
}

#[test]
fn documents_follow_the_registry() {
    let example = Example::after("promote render");
    let row = |text: &str| text.lines().find(|line| line.starts_with("| `departures`")).unwrap().to_owned();
    let table = row(&example.read("build/MODELS.md"));
    // 9.7095 % in benchmark_results.json; 16 series and 5840 rows in the data.
    assert!(table.contains("| 2 | 9.71 % |") && table.contains("| 16 | 5840 |"), "{table}");
    assert!(example.read("build/MODELS.md").starts_with("# Models of this project"), "what people wrote stays");
    assert!(example.read("build/cards/departures.md").contains(&example.sha256("artifacts/departures-2-model.joblib")));
    example.write("build/MODELS.md", &example.read("build/MODELS.md").replace("9.71", "7.71"));
    assert_eq!(example.run("manifest-gen render --check").status, 1, "a hand on the table is seen");
    example.make("rollback");
    let table = row(&example.read("build/MODELS.md"));
    assert!(table.contains("| 1 | 12.94 % |"), "{table}");
}

#[test]
fn consumers_get_the_champion_and_none_may_name_an_old_version() {
    let example = Example::after("promote render");
    let nightly = || example.run("jobs/nightly.sh");
    let said = nightly().stdout;
    assert!(said.contains("2.0.0/departures_v2.joblib after") && said.contains("2.0.0/preprocessing_"), "{said}");
    example.write("jobs/forgotten.py", "model = joblib.load('models/departures_v1.joblib')\n");
    let said = example.run("manifest-gen stale jobs");
    assert_eq!(said.status, 1);
    assert!(said.stdout.contains("jobs/forgotten.py:1:"), "{}", said.stdout);
    let path = example.run("manifest-gen resolve departures@champion --artifact model").stdout;
    example.write(path.trim(), "not a model");
    assert_ne!(nightly().status, 0, "bytes that the registry does not vouch for are served to nobody");
}

#[test]
fn model_and_preprocessing_go_back_together() {
    let example = Example::after("promote rollback");
    let registry = example.json("build/models/registry.json");
    assert_eq!(registry["models"]["departures"]["aliases"]["champion"], "1.0.0");
    let last = registry["models"]["departures"]["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["action"], &last["previous"]), (&"rollback".into(), &"2.0.0".into()));
    for role in ["model", "preprocessing"] {
        let path = example.run(&format!("manifest-gen resolve departures --artifact {role} --verify")).stdout;
        assert_eq!(example.sha256(path.trim()), example.sha256(&format!("artifacts/departures-1-{role}.joblib")));
    }
    assert_eq!(example.try_make("rollback").status, 2, "there is nothing before version 1");
}
