//! Stage two, pure: the findings of one attack joined into one incident, across hosts, with the playbook answered.
//!
//! A [`Correlator`] sees findings, watched events and signals, never raw logs. It keeps them in `groups`, and
//! `compose` writes an incident from a group. Every name is resolved by `identity`, every direction read by `movements`. The order in which detectors hand over does not matter.
//!
//! Nothing here fails on a finding and nothing panics; the lints below hold that down.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable)
)]

mod answers;
mod compose;
mod containment;
mod correlator;
mod groups;
mod identity;
#[cfg(test)]
mod incident_tests;
mod level2;
mod movements;
mod patterns;
mod roles;
mod scene;
#[cfg(test)]
mod tests;
mod timeline;

pub use correlator::{Correlator, Memory};
