//! Truth and incidents compared, statement by statement.

use std::collections::{BTreeMap, BTreeSet};

use backchannel_events::Severity;
use backchannel_report::StepDocument;

use crate::documents::Documents;
use crate::said::Said;
use crate::truth::{Attack, Truth};

/// One statement of a truth file, and whether the program agrees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// The capture.
    pub capture: String,
    /// The key that it stands under.
    pub key: &'static str,
    /// The attack's number, counted from 1; 0: of the capture.
    pub attack: usize,
    /// What is true: the entry of a list, the value.
    pub entry: String,
    /// What the program says instead; `None` where it agrees.
    pub instead: Option<String>,
}

impl Statement {
    /// How it is named in the list of known disagreements: `2 stop nc 14775`.
    pub fn label(&self) -> String {
        format!("{} {}", self.attack, self.entry)
    }
}

/// All statements of a truth file about `documents`.
pub fn statements(truth: &Truth, documents: &Documents) -> Vec<Statement> {
    let cases: Vec<Said> = documents
        .incidents
        .iter()
        .filter(|incident| incident.severity >= Severity::Medium)
        .map(|incident| Said::of(incident, &documents.findings))
        .collect();
    let mut list = List { capture: &truth.capture, attack: 0, statements: Vec::new() };
    let [least, most] = truth.range();
    let right = (least..=most).contains(&cases.len());
    let entry = if least == most { format!("{least}") } else { format!("{least} to {most}") };
    list.add("incidents", &entry, (!right).then(|| format!("{}", cases.len())));
    for account in &truth.not_accounts {
        let disabled = cases.iter().find_map(|said| step(said, &["disable", "reset"], account));
        list.add("not_accounts", account, disabled.map(shown));
    }
    let nothing = Said::default();
    for (at, attack) in truth.incident.iter().enumerate() {
        list.attack = at + 1;
        let said = cases.iter().max_by_key(|said| likeness(attack, said)).filter(|said| likeness(attack, said) > 0);
        // One that careful analysts would not open a case for says nothing, and that is right.
        if said.is_none() && least == 0 {
            continue;
        }
        list.add("found", "found", said.is_none().then(|| "no incident is like it".to_owned()));
        list.attack(attack, said.unwrap_or(&nothing));
    }
    list.statements
}

/// How much an incident looks like an attack: what tells attacks of one capture apart is who acted.
fn likeness(attack: &Attack, said: &Said) -> usize {
    let known = |text: &&String| among(text, &said.processes) || among(text, &said.named);
    let processes = attack.acted.iter().chain(&attack.servers).filter(known).count();
    let accounts = attack.accounts.iter().filter(|names| said.accounts.iter().any(|one| is(names, one))).count();
    let hosts = attack.origin.hosts.iter().filter(|names| said.origins.iter().any(|one| is(names, one))).count();
    let targets = attack.target.hosts.iter().filter(|names| said.targets.iter().any(|one| is(names, one))).count();
    8 * processes + 2 * accounts + 2 * hosts + targets + usize::from(uses(said, &attack.mechanism))
}

struct List<'t> {
    capture: &'t str,
    attack: usize,
    statements: Vec<Statement>,
}

impl List<'_> {
    fn add(&mut self, key: &'static str, entry: &str, instead: Option<String>) {
        let (capture, attack, entry) = (self.capture.to_owned(), self.attack, entry.to_owned());
        self.statements.push(Statement { capture, key, attack, entry, instead });
    }

    /// Each of `entries` is to be among `found`.
    fn each<'e>(
        &mut self,
        key: &'static str,
        entries: &[String],
        found: impl IntoIterator<Item = &'e String> + Clone,
        same: impl Fn(&str, &str) -> bool,
    ) {
        for entry in entries {
            let there = found.clone().into_iter().any(|one| same(entry, one));
            self.add(key, entry, (!there).then(|| format!("only {}", joined(found.clone()))));
        }
    }

    fn attack(&mut self, attack: &Attack, said: &Said) {
        let wanted = uses(said, &attack.mechanism);
        self.add("mechanism", &attack.mechanism, (!wanted).then(|| joined(&said.mechanisms)));
        if attack.tier > 0 {
            let (right, found) = (said.tier == attack.tier, said.tier);
            self.add("tier", &attack.tier.to_string(), (!right).then(|| found.to_string()));
        }
        self.ends(attack, said);
        self.each("accounts", &attack.accounts, &said.accounts, is);
        for names in &attack.not_accounts {
            let named = said.accounts.iter().find(|one| is(names, one)).map(|one| format!("{one} is named"));
            let disabled = step(said, &["disable", "reset"], names).map(shown);
            self.add("not_accounts", names, disabled.or(named));
        }
        for text in &attack.acted {
            let there = among(text, &said.processes);
            self.add("acted", text, (!there).then(|| "is not among the processes".to_owned()));
            let named = there || among(text, &said.named);
            self.add("acted.named", text, (!named).then(|| "is named nowhere".to_owned()));
        }
        for text in &attack.ended {
            self.add("ended", text, step(said, &["stop"], text).map(shown));
        }
        for text in &attack.bystanders {
            self.add("bystanders", text, step(said, &["stop"], text).map(shown));
        }
        for (question, value) in attack.answers.each().filter(|(_, value)| *value != "any") {
            let found = said.answers.iter().find(|(name, _)| *name == question).map_or("", |(_, found)| found);
            self.add("answers", &format!("{question} {value}"), (found != value).then(|| found.to_owned()));
        }
        for (question, value) in attack.not_answers.each() {
            let found = said.answers.iter().find(|(name, _)| *name == question).map_or("", |(_, found)| found);
            self.add("not_answers", &format!("{question} {value}"), (found == value).then(|| found.to_owned()));
        }
        let same = |entry: &str, one: &str| entry == one;
        self.each("techniques", &attack.techniques, &said.techniques, same);
        self.each("reasons", &attack.reasons, &said.reasons, same);
        for (key, entries, found) in [
            ("not_techniques", &attack.not_techniques, &said.techniques),
            ("not_reasons", &attack.not_reasons, &said.reasons),
        ] {
            for entry in entries {
                self.add(key, entry, found.contains(entry).then(|| "is claimed".to_owned()));
            }
        }
        for entry in &attack.must {
            let there = wishes(entry).iter().any(|(verbs, object)| step(said, verbs, object).is_some());
            self.add("must", entry, (!there).then(|| "no such step".to_owned()));
        }
        for entry in &attack.must_not {
            let found = wishes(entry).into_iter().find_map(|(verbs, object)| step(said, &verbs, &object));
            self.add("must_not", entry, found.map(shown));
        }
    }

    /// Where it came from, and what was acted upon.
    fn ends(&mut self, attack: &Attack, said: &Said) {
        let (origin, target) = (&attack.origin, &attack.target);
        // Within one machine, the origin is that machine.
        let within = |one: &String| attack.local && target.hosts.iter().any(|names| is(names, one));
        let allowed =
            |one: &&String| origin.hosts.iter().chain(&attack.origin_may).any(|names| is(names, one)) || within(one);
        if !attack.local {
            self.each("origin.hosts", &origin.hosts, &said.origins, is);
        }
        let wrong: Vec<&String> = said.origins.iter().filter(|one| !allowed(one)).collect();
        self.add("origin.no_other", "no other origin", (!wrong.is_empty()).then(|| joined(wrong)));
        self.each("target.hosts", &target.hosts, &said.targets, is);
        let turned = said.targets.iter().filter(|one| {
            !attack.local && origin.hosts.iter().any(|names| is(names, one)) && !said.origins.contains(*one)
        });
        let turned: Vec<&String> = turned.collect();
        self.add("target.not_origin", "the origin is no target", (!turned.is_empty()).then(|| joined(turned)));
        self.each("origin.accounts", &origin.accounts, &said.origin_accounts, is);
    }
}

fn joined<'s>(names: impl IntoIterator<Item = &'s String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn shown(step: &StepDocument) -> String {
    format!("{} {}", step.action, step.target)
}

/// Whether one of the names `found` is one of `names`, both parted by `|`; an account is the same with and without its domain, a machine
/// with and without its own.
fn is(names: &str, found: &str) -> bool {
    found.split('|').any(|found| is_one(names, found))
}

fn is_one(names: &str, found: &str) -> bool {
    let found = found.to_lowercase();
    names.to_lowercase().split('|').any(|name| {
        let bare = |text: &str| text.rsplit('\\').next().unwrap_or_default().to_owned();
        let label = |text: &str| text.split('.').next().unwrap_or_default().to_owned();
        let address = |text: &str| text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.');
        let domains = name.contains('\\') && found.contains('\\');
        name == found
            || (!domains && bare(name) == bare(&found))
            || (!address(name) && !address(&found) && !name.contains('\\') && label(name) == label(&found))
    })
}

/// `cmd.exe 1504` as name and pid.
fn process(text: &str) -> Option<(String, u32)> {
    let (name, pid) = text.rsplit_once(' ')?;
    Some((name.to_lowercase(), pid.parse().ok()?))
}

/// Whether a process, `cmd.exe 1504`, is among those named.
fn among(text: &str, named: &BTreeSet<(String, u32)>) -> bool {
    process(text).is_some_and(|(name, pid)| named.iter().any(|(known, of)| *of == pid && same_program(&name, known)))
}

/// Whether two names of an image are of one program: a name and the file behind it (`nc`, `nc.openbsd`; `python3`,
/// `python3.11`; `sh`, which is a link to some shell).
fn same_program(a: &str, b: &str) -> bool {
    let version = |name: &str, of: &str| {
        of.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']) || rest.parse::<u32>().is_ok())
    };
    let shell = |name: &str, of: &str| name == "sh" && ["dash", "bash", "busybox", "ksh"].contains(&of);
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    version(&a, &b) || version(&b, &a) || shell(&a, &b) || shell(&b, &a)
}

/// The process that a step is about: `C:\Windows\mmc.exe (3572) on ws01`.
fn process_of(target: &str) -> Option<(String, u32)> {
    let (before, rest) = target.split_once(" (")?;
    let pid = rest.split(')').next()?.trim_start_matches("pid ").parse().ok()?;
    Some((before.rsplit(['/', '\\']).next()?.to_lowercase(), pid))
}

fn uses(said: &Said, mechanism: &str) -> bool {
    said.mechanisms.iter().any(|found| match mechanism {
        "rpc" => found.starts_with("rpc"),
        "named_pipe" => found == "named_pipe" || found == "rpc_named_pipe",
        "unix_socket" => found == "unix_socket" || found == "unix_abstract",
        other => found == other,
    })
}

/// Verbs of truth files, and the actions that do it.
const VERBS: [(&str, &[&str]); 9] = [
    ("isolate", &["isolate"]),
    ("block", &["block"]),
    ("disable", &["disable", "reset", "revoke"]),
    ("reset", &["disable", "reset", "revoke"]),
    ("stop", &["stop", "kill", "suspend", "end"]),
    ("remove", &["remove", "quarantine", "unregister", "delete", "undo", "restore"]),
    ("set", &["restore", "undo", "set"]),
    ("examine", &["examine", "isolate", "investigate", "check"]),
    ("check", &["check", "remove", "disable", "undo"]),
];

/// The ways to fulfil a `must`: verbs and an object. `isolate or block X|Y` is four.
fn wishes(entry: &str) -> Vec<(Vec<&'static str>, String)> {
    let mut verbs: Vec<&'static str> = Vec::new();
    let mut wishes = Vec::new();
    for part in entry.split('|') {
        let mut words: Vec<&str> = part.split(' ').collect();
        let mut own = Vec::new();
        while let Some((verb, _)) = words.first().and_then(|word| VERBS.iter().find(|(verb, _)| verb == word)) {
            own.push(*verb);
            words.remove(0);
            if words.first() == Some(&"or") {
                words.remove(0);
            }
        }
        if !own.is_empty() {
            verbs = own;
        }
        wishes.push((verbs.clone(), words.join(" ")));
    }
    wishes
}

/// The first step that does one of `verbs` to `object`, whose names may be parted by `|`.
fn step<'s>(said: &'s Said, verbs: &[&str], object: &str) -> Option<&'s StepDocument> {
    let actions = VERBS.iter().filter(|(verb, _)| verbs.contains(verb)).flat_map(|(_, actions)| *actions);
    let actions: Vec<&str> = actions.copied().collect();
    let words = |step: &StepDocument| step.action.to_lowercase().split(' ').next().unwrap_or_default().to_owned();
    said.steps
        .iter()
        .filter(|step| actions.contains(&words(step).as_str()))
        .find(|step| object.split('|').any(|object| concerns(&step.target, object)))
}

/// Whether a step's target is the object: all that names it stands in the target.
fn concerns(target: &str, object: &str) -> bool {
    if object == "the host" {
        return true;
    }
    if let (Some((name, pid)), Some((found, of))) = (process(object), process_of(target)) {
        return pid == of && same_program(&name, &found);
    }
    let target = target.to_lowercase();
    // Of words around names ("account", "the", "back to"), none names anything.
    let names = |word: &&str| word.chars().any(|c| !c.is_lowercase() && c != '\'');
    let all: Vec<&str> = object.split(' ').collect();
    let mut named: Vec<&str> = all.iter().copied().filter(|word| names(word)).collect();
    // A plain word such as `erin` or `root` is a name too, where there is no other: the last one.
    if named.is_empty() || all.len() == 2 && process(object).is_some() {
        named = if process(object).is_some() { all } else { all.last().copied().into_iter().collect() };
    }
    named.iter().all(|word| {
        // An account is written with and without its domain.
        let word = word.to_lowercase();
        let bare = if word.matches('\\').count() == 1 { word.rsplit('\\').next().unwrap_or(&word) } else { &word };
        stands_in(&target, bare)
    })
}

/// Whether `word` stands in `text` as a whole.
fn stands_in(text: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '$' || c == '-' || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + word.len()..].chars();
        let next = after.next();
        let longer_address = next == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit());
        !before.is_some_and(inside) && !next.is_some_and(inside) && !longer_address
    })
}

/// Of each key, how many statements agree and how many there are.
pub fn agreement(statements: &[Statement]) -> BTreeMap<&'static str, (usize, usize)> {
    let mut table: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for statement in statements {
        let (agree, all) = table.entry(statement.key).or_default();
        *agree += usize::from(statement.instead.is_none());
        *all += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_thing_are_the_same_and_others_are_not() {
        assert!(is("IEWIN7|10.0.2.18", "iewin7") && is("IEWIN7|10.0.2.18", "10.0.2.18"));
        assert!(is(r"CORP\anna|anna", "ANNA") && is("anna", r"CORP\anna") && !is(r"CORP\anna", r"LAB\anna"));
        assert!(is("ws5|ws5.corp.local", "ws5.corp.local") && !is("10.0.0.1", "10.0.0.2"));
    }

    #[test]
    fn a_wish_is_fulfilled_by_a_step_that_does_it() {
        let with = |action: &str, target: &str| Said {
            steps: vec![StepDocument {
                action: action.into(),
                target: target.into(),
                order: 1,
                why: String::new(),
                breaks: String::new(),
            }],
            ..Said::default()
        };
        let does =
            |entry: &str, said: &Said| wishes(entry).iter().any(|(verbs, object)| step(said, verbs, object).is_some());
        assert!(does("isolate or block 10.0.2.16", &with("block", "10.0.2.16 at the firewall")));
        assert!(!does("isolate 10.0.2.1", &with("isolate", "10.0.2.16")));
        assert!(does("stop mmc.exe 3572", &with("kill", r"C:\Windows\mmc.exe (3572) on iewin7")));
        assert!(!does("stop mmc.exe 3572", &with("kill", r"C:\Windows\mmc.exe (35) on iewin7")));
        assert!(does("disable or reset account erin", &with("disable", "account erin")));
        assert!(!does("disable root", &with("disable", "account erin")));
        assert!(does("stop sh 14774", &with("kill", "/usr/bin/dash (14774) on web02")));
        assert!(does("stop nc 14775", &with("kill", "/usr/bin/nc.openbsd (14775) on web02")));
        assert!(!does("stop nc 14775", &with("kill", "/usr/bin/ncat (14775) on web02")));
        assert!(does("isolate db02|isolate the host", &with("isolate", "unknown")));
        assert!(does(r"disable or reset account OFFSEC\admmig", &with("disable", r"account OFFSEC\admmig")));
        assert!(does(r"remove C:\ProgramData\demo.dll", &with("quarantine", r"C:\ProgramData\demo.dll on w")));
        assert!(!does("disable SYSTEM", &with("kill", r"NT AUTHORITY\SYSTEM")));
    }
}
