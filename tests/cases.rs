//! The cases, through every host. A difference between two hosts is a mistake of one of them by definition.
//!
//! `BLESS=1` (or `cargo xtask bless`) writes the goldens anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use backchannel_detect::analytics::ANALYTICS;
use backchannel_host::replay::Carrier;
use backchannel_tests::case::{self, Case, Expects};
use backchannel_tests::{browser, component, native};

/// The lines of a golden that a reader looks at: what the finding says, not all it carries.
fn shown(document: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(document).expect("a document is JSON");
    let mut fields = value.as_object().expect("an object").clone();
    for key in ["type", "answers", "changes", "logon", "joins", "title", "techniques"] {
        fields.remove(key);
    }
    native::pruned(serde_json::Value::Object(fields)).to_string()
}

fn golden(path: &Path, lines: &[String], wrong: &mut Vec<String>) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, text).expect("the golden is written");
        return;
    }
    let present = fs::read_to_string(path).unwrap_or_default();
    if present != text {
        let at = present
            .lines()
            .zip(text.lines())
            .position(|(a, b)| a != b)
            .unwrap_or(present.lines().count().min(lines.len()));
        wrong.push(format!(
            "{}, line {}:\n  golden: {}\n  now:    {}",
            path.display(),
            at + 1,
            present.lines().nth(at).unwrap_or("(nothing)"),
            text.lines().nth(at).unwrap_or("(nothing)")
        ));
    }
}

/// The worst finding of the analytic that the case is about.
fn worst(case: &Case, documents: &[String]) -> Option<Expects> {
    const ORDER: [&str; 5] = ["info", "low", "medium", "high", "critical"];
    const SURE: [&str; 4] = ["low", "medium", "high", "certain"];
    let rank = |list: &[&str], word: &str| list.iter().position(|known| *known == word).unwrap_or(0);
    documents
        .iter()
        .map(|document| serde_json::from_str::<serde_json::Value>(document).expect("JSON"))
        .filter(|finding| finding["analytic"] == case.analytic.as_str() && finding["suppressed"].is_null())
        .map(|finding| Expects {
            severity: finding["severity"].as_str().unwrap_or_default().to_owned(),
            confidence: finding["confidence"].as_str().unwrap_or_default().to_owned(),
        })
        .max_by_key(|one| (rank(&ORDER, &one.severity), rank(&SURE, &one.confidence)))
}

#[test]
fn each_case_gives_what_it_expects_and_its_goldens() {
    let mut wrong = Vec::new();
    let cases = case::all();
    for case in &cases {
        let findings = native::findings(case);
        let found = worst(case, &findings);
        if found != case.says.expects {
            wrong.push(format!(
                "{} ({}): expects {:?}, found {found:?}",
                case.name(),
                case.says.about,
                case.says.expects
            ));
            continue;
        }
        golden(&case.folder.join("events.jsonl"), &native::events(case), &mut wrong);
        let shown: Vec<String> = findings.iter().map(|document| shown(document)).collect();
        golden(&case.folder.join("findings.jsonl"), &shown, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_analytic_has_a_firing_and_a_quiet_case_and_fires_where_the_name_says_so() {
    let cases = case::all();
    let mut missing = Vec::new();
    for analytic in ANALYTICS {
        let mine: Vec<&Case> = cases.iter().filter(|case| case.analytic == analytic.id).collect();
        let fires = mine.iter().any(|case| case.says.expects.is_some());
        let quiet = mine.iter().any(|case| case.says.expects.is_none());
        if !fires || !quiet {
            missing.push(format!("{}: a {} case", analytic.id, if fires { "quiet" } else { "firing" }));
        }
    }
    assert!(missing.is_empty(), "missing in tests/cases:\n{}", missing.join("\n"));
    for case in &cases {
        let name = case.name();
        assert!(ANALYTICS.iter().any(|analytic| analytic.id == case.analytic), "{name}: no such analytic");
        let folder = name.rsplit('/').next().expect("a name");
        let says_fires = folder.starts_with("fires-");
        assert!(says_fires || folder.starts_with("quiet-"), "{name}: a case is called fires-... or quiet-...");
        assert_eq!(says_fires, case.says.expects.is_some(), "{name}: the name and case.toml disagree");
    }
}

#[test]
fn the_component_finds_the_same_by_every_carrier_and_in_batches_of_any_size() {
    let mut wrong = Vec::new();
    for case in case::all().iter().filter(|case| case.past.is_none()) {
        let expected: BTreeSet<String> = native::findings(case).into_iter().collect();
        for (carrier, batch) in [
            (Carrier::Packed, 1024),
            (Carrier::Packed, 1),
            (Carrier::Packed, 3),
            (Carrier::Events, 1024),
            (Carrier::Records, 1024),
            (Carrier::Records, 1),
            (Carrier::Text, 1024),
        ] {
            let found: BTreeSet<String> = component::findings(case, carrier, batch).into_iter().collect();
            if found != expected {
                let more: Vec<&String> = found.difference(&expected).take(1).collect();
                let less: Vec<&String> = expected.difference(&found).take(1).collect();
                wrong.push(format!(
                    "{} by {carrier:?} in batches of {batch}: only there {more:?}, only native {less:?}",
                    case.name()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_finds_the_same() {
    let mut wrong = Vec::new();
    for case in &case::all() {
        let expected: BTreeSet<String> = native::findings(case).into_iter().collect();
        let found: BTreeSet<String> = browser::findings(case).into_iter().collect();
        if found != expected {
            let more: Vec<&String> = found.difference(&expected).take(1).collect();
            let less: Vec<&String> = expected.difference(&found).take(1).collect();
            wrong.push(format!("{}: only in the page {more:?}, only native {less:?}", case.name()));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
