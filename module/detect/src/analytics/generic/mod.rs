//! Behaviour that is wrong over any channel: known bad endpoints, masquerade, strangers, deviations from the baseline.

pub mod indicator_match;
pub mod masqueraded_endpoint;
pub mod rare_pair;
pub mod unknown_endpoint;
pub mod unusual_pair;
pub mod user_to_privileged;
