//! Every sentence of every document keeps the rules of `src/sentences.rs`: those of the sample logs, of the cases, and of
//! the captures where `BACKCHANNEL_CORPUS` names them. `known-sentences.toml` and `known-sentences-of-captures.toml` list
//! what is known to break them, by a part of the sentence.

use std::collections::BTreeSet;

use backchannel_truth::documents::{self, Documents};
use backchannel_truth::{corpus, known, root, sentences};

fn faults(of: &Documents) -> BTreeSet<known::Fault> {
    let fault =
        |one: sentences::Broken| (of.name.clone(), one.rule.to_owned(), format!("{}: {}", one.field, one.sentence));
    sentences::broken(of).into_iter().map(fault).collect()
}

fn check(list: &str, all: impl IntoIterator<Item = Documents>) {
    let faults: BTreeSet<known::Fault> = all.into_iter().flat_map(|documents| faults(&documents)).collect();
    let complaints = known::check_sentences(&root().join("tests/truth").join(list), &faults);
    assert!(complaints.is_empty(), "{} sentences:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn sentences_of_the_sample_and_the_cases_keep_the_rules() {
    let logs = documents::logs_of(&root().join("examples/logs"));
    let sample = documents::of_files("examples/logs", &logs);
    assert!(!sample.incidents.is_empty(), "nothing is found in the sample");
    let suites =
        backchannel_cases::read_folder(&root().join("tests/cases")).unwrap_or_else(|errors| panic!("{errors:?}"));
    let cases = suites.iter().flat_map(|suite| {
        let stem = suite.stem();
        suite.cases.iter().map(move |case| documents::of_case(&stem, case)).collect::<Vec<_>>()
    });
    check("known-sentences.toml", std::iter::once(sample).chain(cases));
}

#[test]
fn sentences_of_captures_keep_the_rules() {
    let Some(folder) = corpus() else { return };
    check("known-sentences-of-captures.toml", documents::of_each(&documents::logs_of(&folder)));
}
