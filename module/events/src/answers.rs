//! Answers to the playbook's four questions.

use serde::{Deserialize, Serialize};

use crate::Observation;

/// Answer to a question: yes, no, or unknown because the logs are not sufficient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not known from the logs.
    #[default]
    Unknown,
    /// No.
    No,
    /// Yes.
    Yes,
}

impl Verdict {
    /// The name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::No => "no",
            Self::Yes => "yes",
        }
    }
}

/// The answer to one question, with its support.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Yes, no or unknown.
    pub value: Verdict,
    /// The reason, one sentence.
    pub text: String,
    /// The records that support it.
    pub evidence: Vec<Observation>,
    /// Logs or baseline that a definite answer would need.
    pub missing: Vec<String>,
}

impl Answer {
    /// An answer with its reason.
    pub fn new(value: Verdict, text: impl Into<String>) -> Self {
        Self { value, text: text.into(), ..Self::default() }
    }

    /// The answer [`Verdict::Unknown`], with what is missing for a definite one.
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
    /// Q3: is there a recent change of permissions or installation that explains it? Yes means that there is.
    pub q3: Answer,
    /// Q4: are the communicating processes meant to interact?
    pub q4: Answer,
}
