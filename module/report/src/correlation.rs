//! Signals and watched events: the two documents that only correlators read.

use backchannel_events::{Signal, WatchedEvent};

/// The document of a signal.
pub fn signal(signal: &Signal) -> String {
    serde_json::to_string(signal).unwrap_or_default()
}

/// Reads a signal's document.
///
/// # Errors
/// What is wrong with the document, and where.
pub fn read_signal(document: &str) -> Result<Signal, String> {
    serde_json::from_str(document).map_err(|error| error.to_string())
}

/// The document of a watched event.
pub fn activity(event: &WatchedEvent) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// Reads a watched event's document.
///
/// # Errors
/// What is wrong with the document, and where.
pub fn read_activity(document: &str) -> Result<WatchedEvent, String> {
    serde_json::from_str(document).map_err(|error| error.to_string())
}
