//! Decodes the socket address of a SOCKADDR record from its bytes.
//!
//! The decoded tail that auditd's ENRICHED format appends is never used: it prints an abstract name like a path.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use backchannel_events::Mechanism;
use bumpalo::Bump;

use super::fields::lossy;

/// A socket address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address<'a> {
    /// AF_UNIX with a path as logged, possibly relative.
    Path(&'a str),
    /// AF_UNIX in the abstract namespace, with a leading `@`.
    Abstract(&'a str),
    /// AF_UNIX without a name: the peer never called bind.
    Unnamed,
    /// AF_INET or AF_INET6.
    Internet(IpAddr, u16),
    /// Any other family.
    Other(u16),
}

impl Address<'_> {
    /// The mechanism of a named AF_UNIX address.
    pub(crate) fn mechanism(&self) -> Option<Mechanism> {
        match self {
            Self::Path(_) => Some(Mechanism::UnixSocket),
            Self::Abstract(_) => Some(Mechanism::UnixAbstract),
            _ => None,
        }
    }
}

/// Decodes an address of `length` bytes (the system call's argument; the record may hold more, or less).
pub(crate) fn decode<'a>(bytes: &'a [u8], length: Option<u64>, arena: &'a Bump) -> Option<Address<'a>> {
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    // The kernel logs the caller's own bytes; all supported architectures are little endian.
    let family = u16::from_le_bytes(*family);
    match family {
        1 => Some(unix(rest, length, arena)),
        2 => {
            let (port, rest) = rest.split_first_chunk::<2>()?;
            let (address, _) = rest.split_first_chunk::<4>()?;
            Some(Address::Internet(IpAddr::V4(Ipv4Addr::from(*address)), u16::from_be_bytes(*port)))
        }
        10 => {
            let (port, rest) = rest.split_first_chunk::<2>()?;
            let (address, _) = rest.get(4..)?.split_first_chunk::<16>()?;
            let address = Ipv6Addr::from(*address).to_canonical();
            Some(Address::Internet(address, u16::from_be_bytes(*port)))
        }
        other => Some(Address::Other(other)),
    }
}

fn unix<'a>(bytes: &'a [u8], length: Option<u64>, arena: &'a Bump) -> Address<'a> {
    match bytes.first() {
        None => Address::Unnamed,
        Some(0) => {
            // An abstract name is not terminated by NUL but ends with the address. If a caller passes the whole
            // structure, the name is padded with NULs, which the kernel considers part of it; they are removed here.
            let length = length.and_then(|length| usize::try_from(length).ok()).filter(|length| *length > 2);
            let end = length.map_or(bytes.len(), |length| (length - 2).min(bytes.len()));
            let name = &bytes[1..end.max(1)];
            let name = &name[..name.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)];
            if name.is_empty() {
                return Address::Unnamed;
            }
            let mut text = bumpalo::collections::String::with_capacity_in(name.len() + 1, arena);
            text.push('@');
            // As in /proc/net/unix: a NUL inside the name becomes `@`.
            text.extend(String::from_utf8_lossy(name).chars().map(|c| if c == '\0' { '@' } else { c }));
            Address::Abstract(text.into_bump_str())
        }
        Some(_) => {
            // The bytes after the first NUL are padding or the caller's stack.
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            Address::Path(lossy(&bytes[..end], arena))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], length: Option<u64>) -> String {
        let arena = Bump::new();
        format!("{:?}", decode(bytes, length, &arena))
    }

    #[test]
    fn a_path_ends_at_the_first_nul_whatever_follows() {
        assert_eq!(of(b"\x01\x00/run/x.sock\0\0\xffgarbage", Some(110)), "Some(Path(\"/run/x.sock\"))");
        assert_eq!(of(b"\x01\x00rel/x", None), "Some(Path(\"rel/x\"))");
    }

    #[test]
    fn an_abstract_name_keeps_its_at_sign() {
        assert_eq!(of(b"\x01\x00\x00name-1", Some(9)), "Some(Abstract(\"@name-1\"))");
        assert_eq!(of(b"\x01\x00\x00name-1junk", Some(9)), "Some(Abstract(\"@name-1\"))");
        assert_eq!(of(b"\x01\x00\x00a\0b c\0\0\0", Some(110)), "Some(Abstract(\"@a@b c\"))");
    }

    #[test]
    fn an_unbound_peer_has_no_name() {
        assert_eq!(of(b"\x01\x00", Some(16)), "Some(Unnamed)");
        assert_eq!(of(b"\x01\x00\x00", Some(2)), "Some(Unnamed)");
        assert_eq!(of(b"\x01", None), "None");
    }

    #[test]
    fn internet_addresses_are_decoded_and_netlink_is_another_family() {
        assert_eq!(of(b"\x02\x00\x11\x5c\x7f\x00\x00\x01", None), "Some(Internet(127.0.0.1, 4444))");
        assert_eq!(
            of(b"\x0a\x00\x00\x16\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01", None),
            "Some(Internet(10.0.0.1, 22))"
        );
        assert_eq!(of(b"\x10\x00\0\0", None), "Some(Other(16))");
        assert_eq!(of(b"\x02\x00\x11", None), "None");
    }
}
