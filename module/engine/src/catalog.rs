//! What this module is, and what it can find.

use backchannel_detect::Analytic;
use backchannel_detect::analytics::ANALYTICS;

/// Version of the module, semantic versioning.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The contract it speaks.
pub const CONTRACT: &str = "backchannel:detection@0.1.0";

/// Every analytic, by family and id.
pub fn analytics() -> &'static [&'static Analytic] {
    ANALYTICS
}
