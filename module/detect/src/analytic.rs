//! What an analytic is: its metadata and its one question.

use backchannel_events::{ActivityKind, ProcessEvent, Severity, Source};

use crate::{Context, Evidence};

/// One analytic of the catalogue. A constant in the analytic's own file, listed in
/// [`ANALYTICS`](crate::analytics::ANALYTICS).
#[derive(Debug)]
pub struct Analytic {
    /// Catalogue id (`IPC-DCOM-006`).
    pub id: &'static str,
    /// Title, as a reader sees it.
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
    /// Kinds of activity it wants to be asked about.
    pub on: &'static [ActivityKind],
    /// Sources of which at least one must be present for it to be awake.
    pub telemetry: Telemetry,
    /// The question: does this event, given what was seen before it, prove the behaviour?
    pub evaluate: fn(&Context<'_>, &ProcessEvent<'_>) -> Option<Evidence>,
}

/// The logs an analytic can work from: one of them is enough.
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
    /// Remote procedure calls, on the wire and at the RPC runtime.
    NetworkRpc,
    /// Behaviour that holds for any channel.
    Generic,
}

impl Family {
    /// Folder name under `analytics/`.
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

/// Whether an analytic has proved itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its telemetry was seen in real logs.
    Stable,
    /// It was not: shown, at most low severity, never escalating, until the site turns it on.
    Experimental,
}
