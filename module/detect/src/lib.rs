//! Detection, pure: events in, findings out, nothing else touched.
//!
//! [`Detector`] sees the events of any number of hosts. For each event it asks the analytics that care about that
//! kind of activity; an analytic is a pure question to [`Context`] (what has been seen on this host) and answers
//! with [`Evidence`]. Evidence becomes a [`Finding`](backchannel_events::Finding) in one place, where the site's
//! settings, severity rules and ids are applied. Only then is the event remembered: an event is never its own
//! past.
//!
//! The modules lie in floors, and imports go down only (`tests/tidy.rs` has the list and checks it), the lowest first:
//! `text` strings, `memory` what is remembered of each host, `actor` who did something, `vocabulary` lists of names,
//! `predicates` facts about actors and paths, `baseline` what is usual, `tunables` what a site can set, `context` the
//! view of one event, `remember` what an event adds to the memory, `evidence` what an analytic concludes, `analytic` and
//! `analytics` the catalogue, `verdict` from evidence to finding, `stats`, `detector`, `learner`.
//!
//! Nothing here fails on an event and nothing panics; the lints below hold that down.
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
