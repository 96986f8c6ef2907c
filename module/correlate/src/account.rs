//! Accounts as findings name them.

/// An account without its domain, for comparing across hosts.
pub fn bare(user: &str) -> &str {
    user.rsplit(['\\', '/']).next().unwrap_or(user)
}
