//! The playbook's four questions, and how they are answered.

use serde::{Deserialize, Serialize};

use crate::Observation;

/// Yes, no, or not to be known from what was logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What was logged does not tell.
    #[default]
    Unknown,
    /// No.
    No,
    /// Yes.
    Yes,
}

impl Verdict {
    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::No => "no",
            Self::Yes => "yes",
        }
    }
}

/// The answer to one question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Yes, no or unknown.
    pub value: Verdict,
    /// Why, in a sentence.
    pub text: String,
    /// The records it rests on.
    pub evidence: Vec<Observation>,
    /// What would have to be logged or learned to know better.
    pub missing: Vec<String>,
}

impl Answer {
    /// An answer with its reason.
    pub fn new(value: Verdict, text: impl Into<String>) -> Self {
        Self { value, text: text.into(), ..Self::default() }
    }

    /// Unknown, because something is missing.
    pub fn missing(text: impl Into<String>, missing: &[&str]) -> Self {
        let missing = missing.iter().map(|&what| what.to_owned()).collect();
        Self { value: Verdict::Unknown, text: text.into(), missing, ..Self::default() }
    }
}

/// The answers to the playbook's Questions for Analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// Q1: are there unusual or unfamiliar processes using IPC?
    pub q1: Answer,
    /// Q2: does the pattern deviate from the organisation's baseline?
    pub q2: Answer,
    /// Q3: is there a recent change of permissions or installation that explains it? Yes means: explained.
    pub q3: Answer,
    /// Q4: are the communicating processes meant to interact?
    pub q4: Answer,
}
