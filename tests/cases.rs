//! Runs the cases through every host: one test for each case and host, named after the case.
//!
//! `cargo test -p backchannel-tests --test cases -- NAME` runs those whose name contains NAME. `BLESS=1` (or `cargo xtask
//! bless NAME`) first updates failed expectations to the actual results, if they can be edited in place.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

use backchannel_cases::{Edit, Failure, rewrite, undocumented};
use backchannel_detect::analytics::ANALYTICS;
use backchannel_host::replay::Carrier;
use backchannel_tests::case::{self, Case};
use backchannel_tests::fluent_bit::{Linked, Sandbox, Shipper, carried, going_on, records, tailed, without_ours};
use backchannel_tests::{browser, component, native, read, root};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

/// A host that runs cases.
type Host = fn(&Case) -> Result<(), Failed>;

const HOSTS: [(&str, Host); 4] =
    [("native", native_meets), ("component", component_agrees), ("page", page_agrees), ("fluent-bit", filter_agrees)];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let load = || Ok((case::try_all()?, case::try_formats()?));
    let mut loaded: Result<_, String> = load();
    if let (Ok((cases, formats)), Some(_), false) = (&loaded, std::env::var_os("BLESS"), arguments.list) {
        let filter = arguments.filter.as_deref().unwrap_or_default();
        // The part of a test's name that is the name of the case.
        bless(cases.iter().chain(formats), filter.split("::").next().unwrap_or_default());
        loaded = load();
    }
    let (cases, formats): (Arc<[Case]>, Arc<[Case]>) = match loaded {
        Ok((cases, formats)) => (cases.into(), formats.into()),
        Err(errors) => {
            eprintln!("{errors}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        for (host, run) in HOSTS {
            if host == "fluent-bit" && records(case).is_none() {
                continue;
            }
            let cases = Arc::clone(&cases);
            trials.push(Trial::test(format!("{}::{host}", case.name), move || run(&cases[at])));
        }
    }
    for (at, case) in formats.iter().enumerate() {
        let cases = Arc::clone(&formats);
        trials.push(Trial::test(format!("{}::events", case.name), move || events_are(&cases[at])));
    }
    let mut whole = |name: &str, run: fn(&[Case], &[Case]) -> Result<(), Failed>| {
        let (cases, formats) = (Arc::clone(&cases), Arc::clone(&formats));
        trials.push(Trial::test(name, move || run(&cases, &formats)));
    };
    whole("every_analytic_has_a_firing_and_a_quiet_case_in_its_file", every_analytic_has_its_cases);
    whole("no_name_says_the_opposite_of_what_is_expected", no_name_contradicts);
    whole("every_case_says_where_its_logs_come_from", every_case_has_a_provenance);
    whole("expectations_can_name_every_field_of_the_output", every_field_can_be_named);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn parsed(documents: &[String]) -> Vec<Value> {
    documents.iter().map(|document| serde_json::from_str(document).expect("a document is JSON")).collect()
}

fn lines(all: impl IntoIterator<Item = impl ToString>) -> Result<(), Failed> {
    let all: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    if all.is_empty() { Ok(()) } else { Err(all.join("\n").into()) }
}

/// The failed expectations.
fn unmet(case: &Case) -> Vec<Failure> {
    let known: Vec<&str> = ANALYTICS.iter().map(|analytic| analytic.id).collect();
    let outcome = native::outcome(case);
    let mut unmet = case.expect.unknown_analytics(&known);
    unmet.extend(case.expect.check(&parsed(&outcome.findings), &parsed(&outcome.incidents)));
    unmet
}

fn native_meets(case: &Case) -> Result<(), Failed> {
    if case.events.is_some() {
        events_are(case)?;
    }
    lines(unmet(case))
}

/// Compares the findings of two hosts: they must be equal.
fn same(found: Vec<String>, expected: Vec<String>, how: &str) -> Option<String> {
    let (found, expected): (BTreeSet<_>, BTreeSet<_>) = (found.into_iter().collect(), expected.into_iter().collect());
    let first =
        |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).next().cloned().unwrap_or("nothing".into());
    (found != expected).then(|| {
        let (more, less) = (first(&found, &expected), first(&expected, &found));
        format!("{how}\n  finds only here: {more}\n  finds only natively: {less}")
    })
}

fn component_agrees(case: &Case) -> Result<(), Failed> {
    let expected = native::findings(case);
    let ways = [
        (Carrier::Packed, 1024),
        (Carrier::Packed, 1),
        (Carrier::Packed, 3),
        (Carrier::Events, 1024),
        (Carrier::Records, 1024),
        (Carrier::Records, 1),
        (Carrier::Text, 1024),
    ];
    // Event logs have no text records.
    let ways = ways
        .iter()
        .filter(|(carrier, _)| case.text().is_some() || matches!(carrier, Carrier::Packed | Carrier::Events));
    lines(ways.filter_map(|(carrier, batch)| {
        let how = format!("{carrier:?} in batches of {batch}");
        same(component::findings(case, *carrier, *batch), expected.clone(), &how)
    }))
}

fn page_agrees(case: &Case) -> Result<(), Failed> {
    lines(same(browser::findings(case), native::findings(case), "the page"))
}

/// The filter for Fluent Bit, record by record: the shipped one gives the same results as the linked one, no record is
/// changed, and the findings added to records are those of the native run.
fn filter_agrees(case: &Case) -> Result<(), Failed> {
    let baseline = native::baseline(case);
    let records = records(case).ok_or("a shipper hands over records of text")?;
    // Evidence names the tag.
    let tag = case.logs[0].name.as_str();
    let all = |shipper: &mut dyn Shipper, records: &[Vec<u8>]| -> Vec<Vec<u8>> {
        records.iter().map(|record| shipper.call(tag, 0, record).expect("no record is lost")).collect()
    };
    let mut linked = Linked::open(case.settings.as_deref(), baseline.as_deref());
    let mut sandbox = Sandbox::default();
    assert_eq!(sandbox.open(case.settings.as_deref().map(str::as_bytes), baseline.as_deref()), 0);
    let answers = all(&mut linked, &records);
    if all(&mut sandbox, &records) != answers {
        return Err("the module that ships answers otherwise than the linked one".into());
    }
    for (record, answer) in records.iter().zip(&answers) {
        if without_ours(answer) != *record {
            return Err(format!("a record was changed: {}", String::from_utf8_lossy(record)).into());
        }
    }
    // A shipper's input has no end: a pending event is completed by the lines that follow.
    let later: Vec<Vec<u8>> = going_on(case).iter().map(|line| tailed(line.as_bytes())).collect();
    let answers = [answers, all(&mut linked, &later)].concat();
    let differs = same(
        carried(&answers, "findings").iter().map(Value::to_string).collect(),
        parsed(&native::findings(case)).iter().map(Value::to_string).collect(),
        "the filter",
    );
    match (differs, case.differs.get("fluent-bit")) {
        (Some(differs), None) => Err(differs.into()),
        (None, Some(why)) => Err(format!("the case says that the filter differs ({why}), and it does not").into()),
        _ => Ok(()),
    }
}

/// The events of a case's logs must be the expected ones; unset fields are left out.
fn events_are(case: &Case) -> Result<(), Failed> {
    let Some(expected) = &case.events else { return Err("a case of a format has a block `events`".into()) };
    let found = native::events(case);
    let longest = found.len().max(expected.events.len());
    let show = |event: Option<&Value>| event.map_or("nothing".to_owned(), Value::to_string);
    lines((0..longest).filter(|at| found.get(*at) != expected.events.get(*at)).take(1).map(|at| {
        let (now, then) = (show(found.get(at)), show(expected.events.get(at)));
        format!("{}: event {} is\n  {now}\ninstead of\n  {then}", case.path.display(), at + 1)
    }))
}

/// Updates the expectations of cases whose name contains `filter` to the actual results.
fn bless<'a>(cases: impl Iterator<Item = &'a Case>, filter: &str) {
    let mut edits: BTreeMap<_, Vec<Edit>> = BTreeMap::new();
    for case in cases.filter(|case| case.name.contains(filter)) {
        let of = edits.entry(case.path.clone()).or_default();
        of.extend(unmet(case).into_iter().flat_map(|failure| failure.edits));
        if let Some(events) = &case.events {
            let found = native::events(case);
            if found != events.events {
                let text = found.iter().map(|event| format!("{event}\n")).collect();
                of.push(Edit { span: events.span.clone(), text });
            }
        }
    }
    for (path, edits) in edits.iter().filter(|(_, edits)| !edits.is_empty()) {
        std::fs::write(path, rewrite(&read(path), edits)).expect("the case is written");
        eprintln!("{}: {} expectations rewritten", path.display(), edits.len());
    }
}

fn every_analytic_has_its_cases(cases: &[Case], _: &[Case]) -> Result<(), Failed> {
    let folder = root().join("tests/cases");
    let mut wrong = Vec::new();
    for analytic in ANALYTICS {
        let fires = |case: &&Case| case.expect.firing().contains(&analytic.id);
        let quiet = |case: &&Case| case.expect.quiet_analytics().contains(&analytic.id);
        for (what, there) in [("firing", cases.iter().find(fires)), ("quiet", cases.iter().find(quiet))] {
            let home = folder.join(analytic.family.as_str());
            match there {
                None => wrong.push(format!("{} has no {what} case below {}", analytic.id, home.display())),
                Some(case) if !case.path.starts_with(&home) => {
                    wrong.push(format!("{}: {} belongs below {}", case.path.display(), analytic.id, home.display()));
                }
                Some(_) => {}
            }
        }
    }
    lines(wrong)
}

/// A name that mentions a severity or that nothing is found must agree with the expectations.
fn no_name_contradicts(cases: &[Case], formats: &[Case]) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for case in cases.iter().chain(formats) {
        let words: Vec<String> = case.slug().split('-').map(str::to_owned).collect();
        let says = |word: &str| words.iter().any(|known| known == word);
        let severities = case.expect.severities();
        let graded = ["low", "medium", "high", "critical"].into_iter().filter(|word| says(word));
        let graded: Vec<&str> = graded.filter(|word| !severities.contains(word)).collect();
        if case.fires() && (says("quiet") || says("silent") || says("nothing")) {
            wrong.push(format!("{}: the name says quiet, and a finding is expected", case.name));
        } else if !case.fires() && case.events.is_none() && (says("fires") || says("fire")) {
            wrong.push(format!("{}: the name says that it fires, and no finding is expected", case.name));
        } else if case.fires() && !graded.is_empty() {
            wrong.push(format!(
                "{}: the name says {}, and the findings are {}",
                case.name,
                graded.join(", "),
                severities.join(", ")
            ));
        } else if words.last().is_some_and(|word| word.len() < 3 && word.bytes().all(|byte| byte.is_ascii_digit())) {
            wrong.push(format!("{}: a number at the end does not tell it from its like", case.name));
        }
    }
    lines(wrong)
}

fn every_case_has_a_provenance(cases: &[Case], formats: &[Case]) -> Result<(), Failed> {
    let all = cases.iter().chain(formats);
    let silent = all.filter(|case| case.provenance.is_none());
    lines(silent.map(|case| format!("{}: provenance is missing in its block `case`", case.name)))
}

/// All fields of the documents are known to expectations: a new one must be added to `backchannel-cases`.
fn every_field_can_be_named(cases: &[Case], _: &[Case]) -> Result<(), Failed> {
    let mut unknown = BTreeSet::new();
    for case in cases.iter().filter(|case| case.fires()) {
        let outcome = native::outcome(case);
        unknown.extend(parsed(&outcome.findings).iter().chain(&parsed(&outcome.incidents)).flat_map(undocumented));
    }
    lines(unknown.iter().map(|path| format!("host-harness/cases/src/schema.rs does not know {path}")))
}
