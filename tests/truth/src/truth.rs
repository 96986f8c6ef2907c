//! The truth files: what really happened in a capture. README.md beside them says what each key means.

use std::fs;
use std::path::Path;

use serde::Deserialize;

/// The truth about a capture.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// File name of the capture.
    pub capture: String,
    /// How it was read.
    pub read_by: String,
    /// How many attacks an analyst would open a case for.
    pub incidents: usize,
    /// The least and the most that careful analysts would open.
    pub incidents_range: Option<[usize; 2]>,
    /// An attack of another family that is no matter here.
    pub outside: Option<String>,
    /// Accounts that must not be named as used by an attacker: of captures without an attack.
    #[serde(default)]
    pub not_accounts: Vec<Names>,
    /// The attacks.
    #[serde(default)]
    pub incident: Vec<Attack>,
}

/// One attack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// Who did what to whom.
    pub what: String,
    /// By which mechanism.
    pub mechanism: String,
    /// Tier of the playbook; 0: careful analysts differ.
    pub tier: u8,
    /// Where it came from.
    pub origin: End,
    /// What may be named as the origin, and need not be.
    #[serde(default)]
    pub origin_may: Vec<Names>,
    /// What was acted upon.
    pub target: End,
    /// Whether it was between processes of one machine.
    pub local: bool,
    /// Accounts that were used or abused.
    pub accounts: Vec<Names>,
    /// Accounts that must not be named as used.
    pub not_accounts: Vec<Names>,
    /// Processes that did it.
    pub acted: Vec<String>,
    /// Those of them whose end is in the records.
    pub ended: Vec<String>,
    /// Legitimate processes that served.
    #[serde(default)]
    pub servers: Vec<String>,
    /// Processes that must not be stopped.
    pub bystanders: Vec<String>,
    /// The playbook's questions.
    pub answers: Values,
    /// Answers that are wrong.
    #[serde(default)]
    pub not_answers: Values,
    /// ATT&CK techniques with evidence.
    pub techniques: Vec<String>,
    /// Techniques that are wrong to claim.
    pub not_techniques: Vec<String>,
    /// Containment that an expert would ask for.
    pub must: Vec<String>,
    /// Steps that would do harm.
    pub must_not: Vec<String>,
    /// Escalation reasons that hold.
    pub reasons: Vec<String>,
    /// Escalation reasons that do not.
    pub not_reasons: Vec<String>,
}

/// Names of one thing, parted by `|`.
pub type Names = String;

/// One side of an attack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Machines.
    pub hosts: Vec<Names>,
    /// Accounts.
    pub accounts: Vec<Names>,
    /// Processes: name and pid.
    pub processes: Vec<String>,
}

/// Values of the four questions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// Do unusual processes use IPC?
    pub q1: Option<String>,
    /// Does it deviate from the baseline?
    pub q2: Option<String>,
    /// Does a recent change explain it?
    pub q3: Option<String>,
    /// Do the processes normally interact?
    pub q4: Option<String>,
}

impl Values {
    /// Question and value of those that are set.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("q1", &self.q1), ("q2", &self.q2), ("q3", &self.q3), ("q4", &self.q4)];
        all.into_iter().filter_map(|(question, value)| Some((question, value.as_deref()?)))
    }
}

/// Mechanisms that a truth file may name.
const MECHANISMS: [&str; 9] =
    ["dcom", "com", "wmi", "named_pipe", "rpc", "fifo", "unix_socket", "dbus", "shared_memory"];

impl Truth {
    /// How many incidents are right.
    pub fn range(&self) -> [usize; 2] {
        self.incidents_range.unwrap_or([self.incidents; 2])
    }

    /// Reads the truth files of a folder, sorted by name.
    ///
    /// # Panics
    /// Where a file is not what the README says: with its name, and what is wrong.
    pub fn all(folder: &Path) -> Vec<Self> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.to_string_lossy().contains("__") && path.extension().is_some_and(|e| e == "toml"));
        files.sort();
        files.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let truth: Self = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        assert!(truth.capture.starts_with(&*stem), "{stem}: it is about {}", truth.capture);
        assert_eq!(truth.incident.len(), truth.incidents, "{stem}: an [[incident]] for each");
        let [least, most] = truth.range();
        assert!(least <= truth.incidents && truth.incidents <= most, "{stem}: incidents lies outside of its range");
        for attack in &truth.incident {
            let known = MECHANISMS.contains(&attack.mechanism.as_str());
            assert!(known, "{stem}: {} is no mechanism", attack.mechanism);
            for (question, value) in attack.answers.each().chain(attack.not_answers.each()) {
                let known = ["yes", "no", "unknown", "any"].contains(&value);
                assert!(known, "{stem}: {question}: {value} is no answer");
            }
        }
        truth
    }
}
