//! Names of machines in logs: host names and network addresses. Both stages of detection must parse a name alike.

use std::net::IpAddr;

/// The first label of a host name; an address is returned unchanged.
pub fn host_label(name: &str) -> &str {
    if parse_address(name).is_some() {
        return name;
    }
    name.split_once('.').map_or(name, |(label, _)| label)
}

/// Parses an address, ignoring an `::ffff:` prefix and a zone index (`%4`).
pub fn parse_address(address: &str) -> Option<IpAddr> {
    let address = address.split_once('%').map_or(address, |(address, _)| address);
    // Also called with host names, once per event: most contain a letter that no address has.
    if !address.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) {
        return None;
    }
    let ip: IpAddr = address.parse().ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_by_its_first_label_and_an_address_by_itself() {
        assert_eq!(host_label("WS01.corp.example"), "WS01");
        assert_eq!(host_label("ws01"), "ws01");
        assert_eq!(host_label("10.0.0.7"), "10.0.0.7");
        assert_eq!(host_label("::ffff:10.0.0.7"), "::ffff:10.0.0.7");
    }

    #[test]
    fn a_mapped_prefix_and_a_zone_do_not_change_an_address() {
        let plain: Option<IpAddr> = "10.0.0.7".parse().ok();
        assert_eq!((parse_address("10.0.0.7"), parse_address("::ffff:10.0.0.7")), (plain, plain));
        assert_eq!(parse_address("fe80::1%4"), "fe80::1".parse().ok());
        assert_eq!(parse_address("bad.cafe"), None);
    }
}
