//! Documents of signals and watched events, which only correlators read.

use backchannel_events::{Signal, WatchedEvent};

/// Writes the document of a signal.
pub fn signal(signal: &Signal) -> String {
    serde_json::to_string(signal).unwrap_or_default()
}

/// Parses the document of a signal.
///
/// # Errors
/// The document is not JSON, or not such a document; the error has line and column.
pub fn read_signal(document: &str) -> Result<Signal, serde_json::Error> {
    serde_json::from_str(document)
}

/// Writes the document of a watched event.
pub fn activity(event: &WatchedEvent) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// Parses the document of a watched event.
///
/// # Errors
/// The document is not JSON, or not such a document; the error has line and column.
pub fn read_activity(document: &str) -> Result<WatchedEvent, serde_json::Error> {
    serde_json::from_str(document)
}
