//! Detection, pure: events in, findings out, nothing else touched.
//!
//! [`Detector`] sees the events of any number of hosts. For each event it asks the analytics that care about that
//! kind of activity; an analytic is a pure question to [`Context`] (what has been seen on this host) and answers
//! with [`Evidence`]. Evidence becomes a [`Finding`](backchannel_events::Finding) in one place, where the site's
//! settings, severity rules and ids are applied. Only then is the event remembered: an event is never its own
//! past.
//!
//! Nothing here fails on an event and nothing panics; the lints below hold that down.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable)
)]

mod analytic;
pub mod analytics;
mod assess;
mod baseline;
mod com_server;
mod context;
mod describe;
mod detector;
mod evidence;
mod fold;
mod incident;
mod joins;
mod judge;
mod patterns;
mod predicates;
mod rpc_call;
mod script_text;
#[cfg(test)]
mod site_tests;
mod stats;
mod suppress;
#[cfg(test)]
mod testing;
mod text;
mod tuning;
mod vocabulary;
mod watch;
mod wording;

pub use analytic::{Analytic, Family, Status, Telemetry};
pub use baseline::{Baseline, Edge, Known, Learner, Standing, UserKind};
pub use context::{Actor, Context, Host};
pub use detector::{Detector, Memory, Sink};
pub use evidence::Evidence;
pub use incident::{Correlator, CorrelatorMemory};
pub use patterns::Patterns;
pub use stats::{Evicted, Stats, Upkeep};
pub use tuning::{
    AllowRule, AnalyticTuning, Expected, HostKey, Indicator, IndicatorKind, Maintenance, Maturity, Threshold, Tuning,
    When, Window,
};
