//! Who acted on whom across machines: read from the sides of the findings, resolved, each way once.

use std::collections::BTreeMap;

use backchannel_events::{Finding, Machine, Mechanism, Movement, Reason, Side, Timestamp};

use crate::identity::{Accounts, Names, is_built_in};

/// Most movements of one incident: the earliest.
const MOST: usize = 200;

/// The machine that acted and the one acted upon; `None` where both are one, or nothing is known of either. The host of
/// a machine that no record names is empty.
pub fn ends(finding: &Finding, names: &Names) -> Option<(Machine, Machine)> {
    let machine = |side: &Side| names.with_address(&side.host, &finding.host);
    let (from, to) = (machine(&finding.origin), machine(&finding.target));
    (from.host != to.host).then_some((from, to))
}

/// The other machine of a finding and whether it is the one that acted; `None` where there is none with a name.
pub fn other(finding: &Finding, names: &Names) -> Option<(String, bool)> {
    let (from, to) = ends(finding, names)?;
    let inbound = to.host == finding.host;
    let other = if inbound { from.host } else { to.host };
    (!other.is_empty()).then_some((other, inbound))
}

/// The account that was used across machines, as the finding has it.
fn account(finding: &Finding, names: &Names, to: &Machine) -> String {
    let (used, otherwise) = if to.host == finding.host {
        (&finding.origin.account, &finding.target.account)
    } else {
        (&finding.target.account, &finding.origin.account)
    };
    // What the code ran as is the account that was used, where the finding is one of lateral movement.
    let entered = finding.reasons.contains(Reason::LateralMovement);
    let known = std::iter::once(used)
        .chain(Some(otherwise).filter(|_| entered))
        .map(|account| names.account(account, &finding.host));
    known.filter(|account| !account.is_empty() && !is_built_in(account)).map(str::to_owned).next().unwrap_or_default()
}

/// The movements that findings say, earliest first.
pub fn of(findings: &[&Finding], names: &Names, accounts: &Accounts) -> Vec<Movement> {
    let mut movements: Vec<Movement> = Vec::new();
    for finding in findings {
        let Some((from, to)) = ends(finding, names) else { continue };
        let account = accounts.name(&account(finding, names, &to));
        let mechanism = finding.channel.as_ref().map_or(Mechanism::Unknown, |channel| channel.mechanism);
        let time = began(finding);
        let same = |known: &Movement| {
            known.from.host == from.host
                && known.to.host == to.host
                && known.mechanism == mechanism
                && (known.account == account || known.account.is_empty() || account.is_empty())
        };
        let full = movements.len() >= MOST;
        match movements.iter_mut().find(|known| same(known)) {
            Some(known) => {
                for (known, machine) in [(&mut known.from, &from), (&mut known.to, &to)] {
                    if known.address.is_empty() {
                        known.address.clone_from(&machine.address);
                    }
                }
                if known.account.is_empty() {
                    known.account = account;
                }
                known.time = known.time.min(time);
                known.findings.push(finding.id.clone());
            }
            None if !full => {
                movements.push(Movement { from, to, account, mechanism, time, findings: vec![finding.id.clone()] });
            }
            None => {}
        }
    }
    // Of a machine that no record names it is not known that it is another one than the one that is known.
    let known: Vec<Movement> = movements
        .iter()
        .filter(|movement| !movement.from.host.is_empty() && !movement.to.host.is_empty())
        .cloned()
        .collect();
    movements.retain(|movement| {
        let may_be = |known: &Movement| {
            known.mechanism == movement.mechanism
                && (movement.from.host.is_empty() && known.to.host == movement.to.host
                    || movement.to.host.is_empty() && known.from.host == movement.from.host)
        };
        !known.iter().any(may_be)
    });
    let mut addresses: BTreeMap<String, String> = BTreeMap::new();
    for machine in movements.iter().flat_map(|movement| [&movement.from, &movement.to]) {
        if !machine.address.is_empty() {
            addresses.entry(machine.host.clone()).or_insert_with(|| machine.address.clone());
        }
    }
    for machine in movements.iter_mut().flat_map(|movement| [&mut movement.from, &mut movement.to]) {
        if let Some(address) = addresses.get(&machine.host).filter(|_| machine.address.is_empty()) {
            machine.address.clone_from(address);
        }
    }
    movements.sort_by(|a, b| (a.time, &a.from, &a.to, a.mechanism).cmp(&(b.time, &b.from, &b.to, b.mechanism)));
    movements
}

/// When a finding's first record was.
pub fn began(finding: &Finding) -> Timestamp {
    finding.evidence.first().map_or(finding.time, |observation| observation.time)
}

/// A movement in words: `ws1 acted on srv1 over WMI as CORP\eve`.
pub fn sentence(movement: &Movement) -> String {
    let over = over(movement.mechanism);
    let account = if movement.account.is_empty() { String::new() } else { format!(" as {}", movement.account) };
    format!("{} acted on {}{over}{account}", named(&movement.from), named(&movement.to))
}

/// A machine with its address, where that says more than its name.
pub fn named(machine: &Machine) -> String {
    match (machine.host.as_str(), machine.address.as_str()) {
        ("", "") => "a machine that no record names".to_owned(),
        ("", address) => address.to_owned(),
        (host, address) if address.is_empty() || address == host => host.to_owned(),
        (host, address) => format!("{host} ({address})"),
    }
}

/// The mechanism as a phrase that begins with a blank; empty if it is not known.
pub fn over(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Unknown => "",
        Mechanism::NamedPipe | Mechanism::AnonymousPipe => " over a named pipe",
        Mechanism::Fifo => " over a FIFO",
        Mechanism::UnixSocket | Mechanism::UnixAbstract => " over a UNIX socket",
        Mechanism::Com => " over COM",
        Mechanism::Dcom => " over DCOM",
        Mechanism::Dde => " over DDE",
        Mechanism::RpcTcp | Mechanism::RpcNamedPipe | Mechanism::RpcLocal => " over RPC",
        Mechanism::Wmi => " over WMI",
        Mechanism::Dbus => " over D-Bus",
        Mechanism::Xpc | Mechanism::Mach => " over XPC",
        Mechanism::AppleEvent => " by Apple events",
        Mechanism::SharedMemory => " over shared memory",
        Mechanism::MessageQueue => " over a message queue",
        Mechanism::ProcessMemory => " through the memory of a process",
    }
}
