//! Network addresses as written in logs.

pub use backchannel_events::parse_address as parse;

/// Whether `address` is a loopback or unspecified address.
pub fn is_loopback(address: &str) -> bool {
    match parse(address) {
        Some(ip) => ip.is_loopback() || ip.is_unspecified(),
        None => address.eq_ignore_ascii_case("localhost"),
    }
}
