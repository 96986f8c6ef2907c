//! The hand-made truth of real captures, compared with what the program says of them: `README.md` beside this file.
//!
//! `cargo test -p backchannel-truth --test truth -- --nocapture` prints the table of agreement and every disagreement.
//! `known.toml` lists the disagreements that are known, each with its reason.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use backchannel_truth::compare::{Statement, agreement, statements};
use backchannel_truth::truth::Truth;
use backchannel_truth::{corpus, documents, known, root};

#[test]
fn what_incidents_say_of_captures_is_true() {
    let folder = root().join("tests/truth");
    let truths = Truth::all(&folder);
    assert!(truths.len() >= 20, "there are {} truth files", truths.len());
    let Some(corpus) = corpus() else { return };
    let captures: Vec<PathBuf> = truths.iter().map(|truth| corpus.join(&truth.capture)).collect();
    let found = documents::of_each(&captures);
    let all: Vec<Statement> =
        truths.iter().zip(&found).flat_map(|(truth, documents)| statements(truth, documents)).collect();
    println!("{}", report(&all));
    let wrong = all.iter().filter(|statement| statement.instead.is_some());
    let faults: BTreeSet<known::Fault> =
        wrong.map(|one| (one.capture.clone(), one.key.to_owned(), one.label())).collect();
    let complaints = known::check(&folder.join("known.toml"), &faults);
    assert!(complaints.is_empty(), "{}\n{}", report(&all), complaints.join("\n"));
}

/// Every disagreement by capture and key, then the table of agreement by key.
fn report(statements: &[Statement]) -> String {
    let mut text = String::new();
    let mut capture = "";
    for statement in statements {
        let Some(instead) = &statement.instead else { continue };
        if statement.capture != capture {
            capture = &statement.capture;
            let _ = writeln!(text, "\n{capture}");
        }
        let _ = writeln!(text, "  {:<16} {}: {instead}", statement.key, statement.label());
    }
    let _ = writeln!(text, "\n{:<18} agree   of  percent", "key");
    let row = |text: &mut String, key: &str, agree: usize, all: usize| {
        let percent = 100.0 * agree as f64 / all.max(1) as f64;
        let _ = writeln!(text, "{key:<18} {agree:>5} {all:>4}  {percent:>6.1}");
    };
    for (key, (agree, all)) in agreement(statements) {
        row(&mut text, key, agree, all);
    }
    row(&mut text, "all", statements.iter().filter(|one| one.instead.is_none()).count(), statements.len());
    text
}
