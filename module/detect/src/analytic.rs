//! The definition of an analytic: its metadata and its evaluation.

use std::time::Duration;

use backchannel_events::{ActivityKind, ProcessEvent, Severity, Source};

use crate::{Context, Evidence, Threshold};

/// One analytic of the catalogue: a constant in the analytic's own file, listed in
/// [`ANALYTICS`](crate::analytics::ANALYTICS). It is the complete declaration of the analytic; common values
/// are taken from [`Analytic::DEFAULTS`].
#[derive(Debug)]
pub struct Analytic {
    /// Catalogue id (`IPC-DCOM-006`).
    pub id: &'static str,
    /// Title, as shown in findings and documentation.
    pub title: &'static str,
    /// Family: the folder it lives in.
    pub family: Family,
    /// ATT&CK technique ids, the most specific first; one of them is T1559 or below it.
    pub techniques: &'static [&'static str],
    /// ATT&CK analytics it implements (`AN1357`).
    pub attack_analytics: &'static [&'static str],
    /// Severity it usually reports.
    pub severity: Severity,
    /// Whether its telemetry has been seen in real logs.
    pub status: Status,
    /// Kinds of activity it evaluates.
    pub on: &'static [ActivityKind],
    /// Sources of which at least one must be present for it to be active.
    pub telemetry: Telemetry,
    /// Whether it is inactive without a baseline.
    pub needs_baseline: bool,
    /// Maximum time between the records that it joins, if it joins any: ATT&CK's TimeWindow, which a site may set by the
    /// analytic's id.
    pub window: Option<Duration>,
    /// Its thresholds: a site may set each by the analytic's id and the threshold's name.
    pub thresholds: &'static [Threshold],
    /// Evaluates an event together with earlier ones: returns evidence if they show the behaviour.
    pub evaluate: fn(&Context<'_>, &ProcessEvent<'_>) -> Option<Evidence>,
}

impl Analytic {
    /// Default values for declarations: proven on real logs, without a baseline, a time window or thresholds. The other fields are empty here, and every declaration sets them (the tests of
    /// [`ANALYTICS`](crate::analytics::ANALYTICS) check it).
    pub const DEFAULTS: Self = Self {
        id: "",
        title: "",
        family: Family::Generic,
        techniques: &[],
        attack_analytics: &[],
        severity: Severity::Info,
        status: Status::Stable,
        on: &[],
        telemetry: &[],
        needs_baseline: false,
        window: None,
        thresholds: &[],
        evaluate: |_, _| None,
    };
}

/// The log sources of an analytic: one of them is sufficient.
pub type Telemetry = &'static [Source];

/// Family of analytics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// COM and DCOM (T1559.001), with elevation through COM and WMI over DCOM.
    ComponentObjectModel,
    /// Dynamic Data Exchange (T1559.002).
    DynamicDataExchange,
    /// XPC services, Mach and Apple Events (T1559.003).
    XpcServices,
    /// Named and anonymous pipes.
    NamedPipes,
    /// UNIX sockets, FIFOs, D-Bus, shared memory.
    UnixIpc,
    /// Remote procedure calls, on the network and in the RPC runtime.
    NetworkRpc,
    /// Behaviour on any kind of channel.
    Generic,
}

impl Family {
    /// Folder name in `analytics/`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ComponentObjectModel => "component_object_model",
            Self::DynamicDataExchange => "dynamic_data_exchange",
            Self::XpcServices => "xpc_services",
            Self::NamedPipes => "named_pipes",
            Self::UnixIpc => "unix_ipc",
            Self::NetworkRpc => "network_rpc",
            Self::Generic => "generic",
        }
    }
}

/// Maturity of an analytic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its telemetry was seen in real logs.
    Stable,
    /// Its telemetry was not seen in real logs: at most low severity, never escalating, until the site enables it.
    Experimental,
}
