//! XPC services, Mach and Apple Events on macOS (T1559.003). No real records of this telemetry were available: all
//! of these analytics are experimental.

pub mod apple_events;
pub mod helper_child;
pub mod launchd_odd_program;
pub mod untrusted_client;
pub mod unusual_service;
