//! The DistributedCOM provider of the System log.
//!
//! Versions of Windows have different values at the same positions (10016 has 7 to 11 of them), and translate texts.
//! Events about a denial are therefore parsed by the form of the values: the account precedes the SID, the address
//! follows it, and the ids are GUIDs.

use backchannel_events::{Activity, ComActivation, Outcome, Process, User};

use super::view::View;
use super::{Content, text};

/// Event ids that are used.
pub const fn wants(event_id: u32) -> bool {
    matches!(event_id, 10000..=10010 | 10014..=10019 | 10027 | 10028 | 10036..=10038)
}

/// Converts a DistributedCOM record.
pub fn read<'a>(view: &View<'a>) -> Option<Content<'a>> {
    let mut process = Process { user: view.header_user(), ..Process::default() };
    let mut outcome = Outcome::Failure;
    let com = match view.event_id() {
        // Unable to start the server %3 (as %4/%5): error %2 while starting the command %1.
        10000 | 10001 => {
            process.user = User { domain: view.param(4), name: view.param(5), ..process.user };
            ComActivation {
                server: view.param(1),
                error: view.param(2),
                clsid: view.param(3),
                ..ComActivation::default()
            }
        }
        10002 | 10003 | 10014..=10019 | 10027 | 10036 => {
            outcome = Outcome::Denied;
            refusal(view, &mut process)
        }
        // Error %1: unable to log on as %2\%3 to run the server %4.
        10004 => {
            process.user = User { domain: view.param(2), name: view.param(3), ..process.user };
            ComActivation { error: view.param(1), clsid: view.param(4), ..ComActivation::default() }
        }
        // Error %1 while starting the service %2 with the arguments %3 to run the server %4.
        10005 => ComActivation {
            error: view.param(1),
            server: join(view, view.param(2), view.param(3)),
            clsid: view.param(4),
            ..ComActivation::default()
        },
        // Error %1 from the computer %2 while activating the server %3 (with the file %4).
        10006 | 10008 => ComActivation {
            error: view.param(1),
            peer: peer_name(view.param(2)),
            clsid: view.param(3),
            server: view.param(4),
            remote: true,
            outbound: true,
            ..ComActivation::default()
        },
        10007 => ComActivation { error: view.param(1), clsid: view.param(2), ..ComActivation::default() },
        // The computer %1 could not be reached.
        10009 => {
            ComActivation { peer: peer_name(view.param(1)), remote: true, outbound: true, ..ComActivation::default() }
        }
        // The server %1 did not register in time.
        10010 => ComActivation { clsid: view.param(1), ..ComActivation::default() },
        // The computer %1 could not be reached; asked by process %2 (%3, missing on older systems) for class %4.
        10028 => {
            process.pid = pid(text::hex(view.param(2)));
            process.image = view.param(3);
            ComActivation {
                peer: peer_name(view.param(1)),
                clsid: view.param(4),
                remote: true,
                outbound: true,
                ..ComActivation::default()
            }
        }
        // The application %1 with id %2 requests activation of %3 on the computer %4 with too low a level (%5).
        10037 | 10038 => {
            process.image = view.param(1);
            process.pid = pid(text::number(view.param(2)));
            // The activation is not denied here: Windows warns that the server may deny it.
            outcome = Outcome::Unknown;
            ComActivation {
                clsid: view.param(3),
                peer: peer_name(view.param(4)),
                permission: "Activation",
                error: view.param(5),
                remote: true,
                outbound: true,
                ..ComActivation::default()
            }
        }
        _ => return None,
    };
    Some(Content { process, activity: Activity::ComActivation(com), outcome })
}

fn pid(value: Option<u64>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok())
}

/// Launch, activation or access was denied, possibly to a remote client.
fn refusal<'a>(view: &View<'a>, process: &mut Process<'a>) -> ComActivation<'a> {
    let params: [&str; 12] = core::array::from_fn(|index| view.param(index + 1));
    let mut ids = params.iter().copied().filter(|value| is_guid(value));
    let mut com = ComActivation {
        clsid: ids.next().unwrap_or(""),
        app_id: ids.next().unwrap_or(""),
        permission: match view.event_id() {
            10002 | 10003 => "Launch",
            10017..=10019 => "Access",
            10036 => "Activation",
            _ => params.iter().find(|value| is_permission(value)).copied().unwrap_or(""),
        },
        ..ComActivation::default()
    };
    let scoped_remote = params[..3].iter().any(|value| value.eq_ignore_ascii_case("Remote"));
    let sid_at = params.iter().position(|value| is_sid(value));
    let mut address = "";
    if let Some(at) = sid_at {
        process.user = User { id: params[at], ..User::default() };
        if at >= 2 {
            process.user.domain = params[at - 2];
            process.user.name = params[at - 1];
        }
        address = params.get(at + 1).copied().unwrap_or("");
        // Without ids, the value before the account names the server; 10016 may have the name of an application instead
        // of a GUID.
        if com.clsid.is_empty() && at >= 3 {
            com.server = params[at - 3];
        }
    }
    if view.event_id() == 10016 {
        // The positions of current Windows versions, if the values there are valid.
        if com.permission.is_empty() {
            com.permission = params[2];
        }
        if sid_at == Some(7) {
            if !is_guid(params[3]) {
                com.clsid = params[3];
                com.server = "";
            }
            com.app_id = if is_guid(params[4]) { params[4] } else { "" };
        }
    } else if view.event_id() == 10014 {
        // Remote activations are disabled, so the client was on another machine.
        com.remote = true;
    }
    // Old systems have no address after the SID: the only information is the text of Windows.
    let has_address = sid_at.is_some_and(|at| params.get(at + 1).is_some_and(|value| !value.is_empty()));
    let address = text::address(address);
    if text::ip(address).is_some() {
        com.peer = address;
        com.remote = !text::is_loopback(address);
    } else if scoped_remote && text::is_host_name(address) && !is_local(address) {
        com.peer = address;
        com.remote = true;
    } else if scoped_remote && !has_address {
        com.remote = true;
    }
    com
}

/// Whether the text after the SID states that the caller was on this machine, or is unknown. Windows translates it,
/// except for the name of the mechanism in brackets, which cannot be part of a host name.
fn is_local(address: &str) -> bool {
    address.eq_ignore_ascii_case("Unavailable") || address.eq_ignore_ascii_case("LocalHost")
}

fn is_permission(value: &str) -> bool {
    ["Launch", "Activation", "Access"].iter().any(|permission| value.eq_ignore_ascii_case(permission))
}

fn is_guid(value: &str) -> bool {
    value.len() == 38 && value.starts_with('{') && value.ends_with('}')
}

fn is_sid(value: &str) -> bool {
    value.strip_prefix("S-1-").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        // The SID of an application container follows the address.
        && !value.starts_with("S-1-15-")
}

/// A machine's name or address as logged, without the backslashes of a UNC name.
fn peer_name(value: &str) -> &str {
    text::address(value)
}

fn join<'a>(view: &View<'a>, program: &'a str, arguments: &'a str) -> &'a str {
    match (program, arguments) {
        (program, "" | "Unavailable") => program,
        (program, arguments) => text::join(&[program, " ", arguments], view.arena),
    }
}
