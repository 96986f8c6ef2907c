//! XPC services, Mach and Apple Events on macOS (T1559.003). No real record of this telemetry was at hand: all of them
//! are experimental.

pub mod apple_events;
pub mod helper_child;
pub mod launchd_odd_program;
pub mod untrusted_client;
pub mod unusual_service;
