//! What each event says, by name and by position.
