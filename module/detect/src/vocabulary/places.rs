//! Network names and addresses: which belong to Windows' own traffic, which are on the public Internet. Source: the published endpoints of
//! the large certificate authorities and of Windows itself.

use std::net::IpAddr;

use crate::text::addresses;
use crate::text::{ends_with, starts_with};

/// Whether a name is one that Windows itself resolves: certificate checks, time, updates, connectivity.
pub fn is_of_windows(name: &str) -> bool {
    const ENDINGS: [&str; 16] = [
        ".microsoft.com",
        ".windowsupdate.com",
        ".windows.com",
        ".windows.net",
        ".msftncsi.com",
        ".msftconnecttest.com",
        ".msocsp.com",
        ".digicert.com",
        ".verisign.com",
        ".symcb.com",
        ".symcd.com",
        ".globalsign.com",
        ".sectigo.com",
        ".usertrust.com",
        ".lencr.org",
        ".entrust.net",
    ];
    starts_with(name, "ocsp.") || starts_with(name, "crl.") || ENDINGS.iter().any(|ending| ends_with(name, ending))
}

/// Whether an address is on the public Internet.
pub fn is_public(address: &str) -> bool {
    match addresses::parse(address) {
        Some(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_unspecified()
                || shared)
        }
        Some(IpAddr::V6(ip)) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_shared_and_local_addresses_are_not_public() {
        for address in [
            "10.1.2.3",
            "192.168.0.1",
            "172.20.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "fe80::1",
            "fd00::1",
            "",
        ] {
            assert!(!is_public(address), "{address}");
        }
        assert!(is_public("8.8.8.8") && is_public("2606:4700::1111"));
    }

    #[test]
    fn certificate_checks_are_windows_own() {
        assert!(is_of_windows("ocsp.digicert.com") && is_of_windows("ctldl.windowsupdate.com"));
        assert!(!is_of_windows("cdn.example.net"));
    }
}
