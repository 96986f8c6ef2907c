//! Lists of known faults: each entry has a reason, and goes when the fault has gone.
//!
//! - [`check`]: faults one by one, for the truth.
//! - [`check_sentences`]: sentences by a part that they share, because one fault of a text shows in many sentences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// Faults of one kind in one place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Where: the capture, the logs.
    place: String,
    /// What kind: the key, the rule.
    kind: String,
    /// Which.
    entries: Vec<String>,
    /// Why it is so, and what would mend it.
    reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    known: Vec<Entry>,
}

/// A fault: place, kind, which.
pub type Fault = (String, String, String);

/// Compares what is wrong with what is known to be wrong. Gives back what is wrong about the list: a fault that is not in
/// it, an entry that has no fault any more, an entry without a reason. `BLESS=1` writes the list anew: it drops entries
/// that have gone and adds those that came, for which the reason is to be written by hand.
pub fn check(file: &Path, faults: &BTreeSet<Fault>) -> Vec<String> {
    let list: List = match fs::read_to_string(file) {
        Ok(text) => toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())),
        Err(_) => List::default(),
    };
    let mut reasons: BTreeMap<Fault, &str> = BTreeMap::new();
    for Entry { place, kind, entries, reason } in &list.known {
        for entry in entries {
            reasons.insert((place.clone(), kind.clone(), entry.clone()), reason);
        }
    }
    if std::env::var_os("BLESS").is_some() {
        write(file, faults, &reasons);
        return Vec::new();
    }
    let named = |fault: &Fault| format!("{} / {} / {}", fault.0, fault.1, fault.2);
    let new = faults.iter().filter(|fault| !reasons.contains_key(fault)).map(|fault| format!("new: {}", named(fault)));
    let gone = reasons.keys().filter(|fault| !faults.contains(fault));
    let gone = gone.map(|fault| format!("no longer so, take it out of the list: {}", named(fault)));
    let bare = reasons.iter().filter(|(_, reason)| reason.trim().is_empty());
    let bare = bare.map(|(fault, _)| format!("without a reason: {}", named(fault)));
    new.chain(gone).chain(bare).collect()
}

/// A fault of a text: sentences that hold `contains` break `rule`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    rule: String,
    contains: String,
    reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patterns {
    #[serde(default)]
    known: Vec<Pattern>,
}

/// Compares broken sentences, each with its place, rule and text, with a list by hand. Gives back what is wrong: a
/// sentence that no entry covers, an entry that covers none, an entry without a reason.
pub fn check_sentences(file: &Path, faults: &BTreeSet<Fault>) -> Vec<String> {
    let list: Patterns = match fs::read_to_string(file) {
        Ok(text) => toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())),
        Err(_) => Patterns::default(),
    };
    let covers = |known: &Pattern, (_, rule, text): &Fault| known.rule == *rule && text.contains(&known.contains);
    let new = faults.iter().filter(|fault| !list.known.iter().any(|known| covers(known, fault)));
    let new = new.map(|(place, rule, text)| format!("{place}: {rule}: {text}"));
    let idle = list.known.iter().filter(|known| !faults.iter().any(|fault| covers(known, fault)));
    let idle = idle.map(|known| format!("no longer so, take it out of the list: {}: {}", known.rule, known.contains));
    let bare = list.known.iter().filter(|known| known.reason.trim().is_empty());
    let bare = bare.map(|known| format!("without a reason: {}: {}", known.rule, known.contains));
    new.chain(idle).chain(bare).collect()
}

fn write(file: &Path, faults: &BTreeSet<Fault>, reasons: &BTreeMap<Fault, &str>) {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for fault in faults {
        let reason = reasons.get(fault).copied().unwrap_or_default();
        groups.entry((&fault.0, &fault.1, reason)).or_default().push(&fault.2);
    }
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut text = String::from("# Known faults. An entry goes when the fault has gone: the test fails until then.\n");
    for ((place, kind, reason), entries) in groups {
        let entries: Vec<String> = entries.into_iter().map(quoted).collect();
        let _ = write!(
            text,
            "\n[[known]]\nplace = {}\nkind = {}\nentries = [{}]\nreason = {}\n",
            quoted(place),
            quoted(kind),
            entries.join(", "),
            quoted(reason)
        );
    }
    fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
