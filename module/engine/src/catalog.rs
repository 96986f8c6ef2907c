//! Version of the module, and its catalogue of analytics.

use backchannel_detect::Analytic;
use backchannel_detect::analytics::ANALYTICS;

/// Version of the module (semantic versioning).
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Version of the contract that the module implements.
pub const CONTRACT: &str = "backchannel:detection@0.1.0";

/// All analytics, ordered by family and id.
pub fn analytics() -> &'static [&'static Analytic] {
    ANALYTICS
}
