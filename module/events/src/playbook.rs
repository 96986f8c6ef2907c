//! Terms of the playbook: severity, confidence, key indicators, reasons to escalate.

use serde::{Deserialize, Serialize};

/// Severity of a finding or incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Severity {
    #[default]
    Info = 0,
    Low = 1,
    Medium = 2,
    High = 3,
    Critical = 4,
}

impl Severity {
    /// All, from least to most severe.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// One step more severe; critical stays critical.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Info => Self::Low,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }

    /// One step less severe; info stays info.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::Info | Self::Low => Self::Info,
            Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }
}

/// Confidence in a finding. Named levels, never decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Confidence {
    #[default]
    Low = 0,
    Medium = 1,
    High = 2,
    Certain = 3,
}

impl Confidence {
    /// The name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Certain => "certain",
        }
    }

    /// One step lower; low stays low.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::Low | Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Certain => Self::High,
        }
    }
}

/// A reason to escalate to Tier 2, as the playbook defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Reason {
    /// E1: anomalous inter-process communication by a process with administrative privileges.
    AdministrativePrivileges = 1,
    /// E2: signs of DCOM exploitation (or of another exploited IPC broker).
    DcomExploitation = 2,
    /// E3: an unknown or malicious binary uses an IPC channel.
    UnknownBinary = 3,
    /// E4: lateral movement associated with IPC abuse.
    LateralMovement = 4,
}

impl Reason {
    /// All, in the playbook's order.
    pub const ALL: [Self; 4] =
        [Self::AdministrativePrivileges, Self::DcomExploitation, Self::UnknownBinary, Self::LateralMovement];

    /// The code used in documents (`E1` .. `E4`).
    pub const fn code(self) -> &'static str {
        match self {
            Self::AdministrativePrivileges => "E1",
            Self::DcomExploitation => "E2",
            Self::UnknownBinary => "E3",
            Self::LateralMovement => "E4",
        }
    }
}

/// A set of [`Reason`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reasons(u8);

impl Reasons {
    /// No reason.
    pub const NONE: Self = Self(0);
    /// [`Reason::AdministrativePrivileges`] alone (E1).
    pub const ADMINISTRATIVE_PRIVILEGES: Self = Self(1 << Reason::AdministrativePrivileges as u8);
    /// [`Reason::DcomExploitation`] alone (E2).
    pub const DCOM_EXPLOITATION: Self = Self(1 << Reason::DcomExploitation as u8);
    /// [`Reason::UnknownBinary`] alone (E3).
    pub const UNKNOWN_BINARY: Self = Self(1 << Reason::UnknownBinary as u8);
    /// [`Reason::LateralMovement`] alone (E4).
    pub const LATERAL_MOVEMENT: Self = Self(1 << Reason::LateralMovement as u8);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set, with `other` added if `condition` is true.
    #[must_use]
    pub const fn and_if(self, condition: bool, other: Self) -> Self {
        if condition { self.and(other) } else { self }
    }

    /// This set without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `reason` is in the set.
    pub const fn contains(self, reason: Reason) -> bool {
        self.0 & (1 << reason as u8) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The reasons, in the playbook's order.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |reason| self.contains(*reason))
    }
}

impl From<Reason> for Reasons {
    fn from(reason: Reason) -> Self {
        Self(1 << reason as u8)
    }
}

/// A key indicator of the playbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Indicator {
    /// KI-1: unexpected use of IPC, or processes that do not usually communicate.
    UnexpectedUse = 1,
    /// KI-2: an event id of DCOM, such as 10028.
    DcomEvent = 2,
    /// KI-3: abnormal data flow, such as a user's process to a privileged one.
    AbnormalFlow = 3,
}

impl Indicator {
    /// All, in the playbook's order.
    pub const ALL: [Self; 3] = [Self::UnexpectedUse, Self::DcomEvent, Self::AbnormalFlow];

    /// The code used in documents (`KI-1` .. `KI-3`).
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnexpectedUse => "KI-1",
            Self::DcomEvent => "KI-2",
            Self::AbnormalFlow => "KI-3",
        }
    }
}

/// A set of [`Indicator`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Indicators(u8);

impl Indicators {
    /// No indicator.
    pub const NONE: Self = Self(0);
    /// [`Indicator::UnexpectedUse`] alone (KI-1).
    pub const UNEXPECTED_USE: Self = Self(1 << Indicator::UnexpectedUse as u8);
    /// [`Indicator::DcomEvent`] alone (KI-2).
    pub const DCOM_EVENT: Self = Self(1 << Indicator::DcomEvent as u8);
    /// [`Indicator::AbnormalFlow`] alone (KI-3).
    pub const ABNORMAL_FLOW: Self = Self(1 << Indicator::AbnormalFlow as u8);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `indicator` is in the set.
    pub const fn contains(self, indicator: Indicator) -> bool {
        self.0 & (1 << indicator as u8) != 0
    }

    /// The indicators, in the playbook's order.
    pub fn iter(self) -> impl Iterator<Item = Indicator> {
        Indicator::ALL.into_iter().filter(move |indicator| self.contains(*indicator))
    }
}

impl From<Indicator> for Indicators {
    fn from(indicator: Indicator) -> Self {
        Self(1 << indicator as u8)
    }
}
