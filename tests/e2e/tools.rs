//! What all four tools do alike.

use e2e::Place;

const TOOLS: [&str; 4] = ["bench-compare", "manifest-gen", "drift-watch", "rebench-cron"];

#[test]
fn every_tool_has_help_a_version_a_man_page_and_completions() {
    let place = Place::new();
    for tool in TOOLS {
        for args in [
            vec!["--help"],
            vec!["--version"],
            vec!["man"],
            vec!["completions", "bash"],
            vec!["show-config"],
            vec!["check"],
        ] {
            let said = place.run(tool, &args);
            assert_eq!(said.status, 0, "{tool} {args:?}: {}", said.stderr);
            assert!(!said.stdout.is_empty(), "{tool} {args:?}");
        }
        assert!(place.run(tool, &["--help"]).stdout.contains("EXIT STATUS"), "{tool}");
    }
}

#[test]
fn a_wrong_flag_is_status_2() {
    for tool in TOOLS {
        assert_eq!(Place::new().run(tool, &["--no-such-flag"]).status, 2, "{tool}");
    }
}

#[test]
fn a_command_that_a_tool_does_not_have_is_status_2() {
    for tool in TOOLS {
        let said = Place::new().run(tool, &["no-such-command"]);
        assert_eq!(said.status, 2, "{tool}");
        assert!(said.stderr.contains("no-such-command"), "{tool}: {}", said.stderr);
    }
}
