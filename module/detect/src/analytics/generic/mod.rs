//! Behaviour that is suspicious on any channel: known bad endpoints, masquerading, unknown programs, deviations from the baseline.

pub mod after_logon;
pub mod after_permission_change;
pub mod broker_child;
pub mod burst;
pub mod indicator_match;
pub mod injected_endpoint;
pub mod masqueraded_endpoint;
pub mod owner_changed;
pub mod rare_pair;
pub mod reported_fault;
pub mod telemetry_tampered;
pub mod unknown_endpoint;
pub mod unusual_pair;
pub mod user_to_privileged;
