//! Detection as a pure function: events in, findings out, no other input or output.
//!
//! [`Detector`] evaluates the events of any number of hosts. For each event it runs the analytics for that kind of
//! activity; an analytic is a pure function of [`Context`] (the event and the earlier activity of its host) that returns
//! [`Evidence`]. Evidence becomes a [`Finding`](backchannel_events::Finding) in one place, where the site's settings,
//! severity rules and ids are applied. The event is stored only afterwards, so that it never matches itself.
//!
//! The modules are layered, and imports go down only (`tests/tidy.rs` has the list and checks it), the lowest first:
//! `text` strings, `memory` the state of each host, `actor` the acting process, `vocabulary` lists of names, `predicates`
//! facts about actors and paths, `baseline` usual exchanges, `tunables` the site's settings, `context` the view of one
//! event, `remember` the update of the memory by an event, `evidence` the result of an analytic, `analytic` and
//! `analytics` the catalogue, `verdict` from evidence to finding, `stats`, `detector`, `learner`.
//!
//! No event causes an error or a panic; the lints below enforce it.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable)
)]

mod actor;
mod analytic;
pub mod analytics;
mod baseline;
mod context;
mod detector;
mod evidence;
mod learner;
mod memory;
mod predicates;
mod remember;
mod stats;
#[cfg(test)]
mod testing;
mod text;
mod tunables;
mod verdict;
mod vocabulary;

pub use actor::Actor;
pub use analytic::{Analytic, Family, Status, Telemetry};
pub use baseline::{Baseline, Edge, Known, Maturity, Standing, UserKind};
pub use context::Context;
pub use detector::{Detector, Memory, Sink};
pub use evidence::Evidence;
pub use learner::Learner;
pub use memory::{Evicted, Host};
pub use stats::{Stats, Upkeep};
pub use text::Patterns;
pub use tunables::{
    AllowRule, AnalyticTuning, Expected, HostKey, Indicator, IndicatorKind, Maintenance, Threshold, Tunables, When,
};
