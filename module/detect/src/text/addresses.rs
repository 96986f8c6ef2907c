//! Network addresses as written in logs.

use std::net::IpAddr;

pub use backchannel_events::parse_address as parse;

/// Whether `address` is `range` or lies in it: an address, or a block such as `10.1.0.0/16`. What is no address, such as
/// a name, is compared as text.
pub fn is_within(address: &str, range: &str) -> bool {
    let Some((network, length)) = range.split_once('/') else {
        return match (parse(address), parse(range)) {
            (Some(one), Some(other)) => one.to_canonical() == other.to_canonical(),
            _ => !address.is_empty() && address.eq_ignore_ascii_case(range),
        };
    };
    let (Some(ip), Some(network), Ok(length)) = (parse(address), parse(network), length.parse::<u32>()) else {
        return false;
    };
    match (ip.to_canonical(), network.to_canonical()) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            length <= 32 && (ip.to_bits() ^ network.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            length <= 128 && (ip.to_bits() ^ network.to_bits()).checked_shr(128 - length).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Whether `address` is a loopback or unspecified address.
pub fn is_loopback(address: &str) -> bool {
    match parse(address) {
        Some(ip) => ip.to_canonical().is_loopback() || ip.is_unspecified(),
        None => address.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lies_in_itself_and_in_its_block() {
        for (address, range, within) in [
            ("198.51.100.7", "198.51.100.7", true),
            ("::ffff:198.51.100.7", "198.51.100.7", true),
            ("198.51.100.7", "198.51.100.0/24", true),
            ("198.51.101.7", "198.51.100.0/24", false),
            ("198.51.101.7", "0.0.0.0/0", true),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db9::1", "2001:db8::/32", false),
            ("evil.example", "EVIL.example", true),
            ("evil.example", "198.51.100.0/24", false),
            ("", "", false),
        ] {
            assert_eq!(is_within(address, range), within, "{address} {range}");
        }
        assert!(is_loopback("::ffff:127.0.0.1") && is_loopback("::1") && !is_loopback("198.51.100.7"));
    }
}
