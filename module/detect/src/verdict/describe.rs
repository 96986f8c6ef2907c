//! One sentence about one event, for the evidence of a finding.

use backchannel_events::{Activity, LogonOutcome, Observation, Outcome, ProcessEvent};

use crate::actor::account;
use crate::text::{base_name, clip};

/// Longest command line quoted in a sentence, in bytes.
const QUOTED: usize = 300;

/// The event as evidence: where its record is, and what it says.
pub fn observation(event: &ProcessEvent<'_>) -> Observation {
    let from = &event.provenance;
    Observation {
        time: event.time,
        host: event.host.to_owned(),
        input: from.input.to_owned(),
        line: from.line,
        record: from.record.to_owned(),
        provider: from.provider.to_owned(),
        event_id: from.event_id,
        text: sentence(event),
    }
}

fn sentence(event: &ProcessEvent<'_>) -> String {
    let process = &event.process;
    // What did not succeed was tried, and no more.
    let did = |done: &str, base: &str| match event.outcome {
        Outcome::Failure => format!("failed to {base}"),
        Outcome::Denied => format!("was refused to {base}"),
        Outcome::Success | Outcome::Unknown => done.to_owned(),
    };
    let ended = match event.outcome {
        Outcome::Failure => ", which failed",
        Outcome::Denied => ", which was refused",
        Outcome::Success | Outcome::Unknown => "",
    };
    let who = match (base_name(process.image), process.pid) {
        ("", None) => "a process".to_owned(),
        ("", Some(pid)) => format!("process {pid}"),
        (name, None) => name.to_owned(),
        (name, Some(pid)) => format!("{name} ({pid})"),
    };
    match &event.activity {
        Activity::ProcessStart => {
            let by = match base_name(process.parent.image) {
                "" => String::new(),
                name => format!(" by {name}"),
            };
            let command = match process.command_line {
                "" => String::new(),
                line => format!(": {}", clip(line, QUOTED)),
            };
            format!("{who} was started{by}{}{command}{ended}", as_user(event))
        }
        Activity::ProcessEnd => format!("{who} ended"),
        Activity::ProcessAccess(access) => {
            let target = match (base_name(access.target.image), access.target.pid) {
                ("", Some(pid)) => format!("process {pid}"),
                ("", None) => "another process".to_owned(),
                (name, _) => name.to_owned(),
            };
            format!("{who} {} {target} ({:?})", did("reached into", "reach into"), access.kind)
        }
        Activity::ModuleLoad(module) => format!("{who} loaded {}", module.path),
        Activity::File(file) if file.peer.is_empty() => {
            format!("{who}: {:?} of file {}{ended}", file.operation, file.path)
        }
        Activity::File(file) => {
            format!("{:?} of file {} from {}{}{ended}", file.operation, file.path, file.peer, as_user(event))
        }
        Activity::Registry(change) => {
            format!("{who}: {:?} of {} = {}", change.operation, change.path, clip(change.data, QUOTED))
        }
        Activity::ChannelCreate(channel) => {
            format!("{who} {} {} {}", did("created", "create"), channel.mechanism.as_str(), channel.name)
        }
        Activity::ChannelConnect(channel) if !channel.peer.is_empty() => {
            format!(
                "{} {} was opened from {}{}{ended}",
                channel.mechanism.as_str(),
                channel.name,
                channel.peer,
                as_user(event)
            )
        }
        Activity::ChannelConnect(channel) => {
            format!("{who} {} {} {}", did("opened", "open"), channel.mechanism.as_str(), channel.name)
        }
        Activity::ChannelAccept(channel) => {
            format!("{who} accepted a client on {} {}", channel.mechanism.as_str(), channel.name)
        }
        Activity::ComActivation(com) if com.outbound => {
            format!("{who} could not activate class {} on {}", com.clsid, com.peer)
        }
        Activity::ComActivation(com) if com.remote => {
            format!(
                "{} of class {} was refused to {}{}",
                or(com.permission, "activation"),
                com.clsid,
                com.peer,
                as_user(event)
            )
        }
        Activity::ComActivation(com) => format!("class {} was not activated: {}", com.clsid, or(com.error, com.server)),
        Activity::RpcCall(call) => {
            format!(
                "{} called {} {} on {}{ended}",
                or(call.client.address, &who),
                call.interface,
                call.operation,
                or(call.server.address, call.object)
            )
        }
        Activity::NetworkFlow(flow) if flow.outbound => {
            format!("{who} {} {}:{}", did("connected to", "connect to"), flow.remote.address, flow.remote.port)
        }
        // Security 5158: a port was bound, nobody came yet.
        Activity::NetworkFlow(flow) if flow.remote.address.is_empty() => {
            format!("{who} bound port {}", flow.local.port)
        }
        Activity::NetworkFlow(flow) => {
            format!("{who} was reached on port {} from {}:{}", flow.local.port, flow.remote.address, flow.remote.port)
        }
        Activity::Logon(logon) => {
            let from = match or(logon.source.address, logon.source.name) {
                "" => String::new(),
                from => format!(" from {from}"),
            };
            let what = match logon.outcome {
                LogonOutcome::Start => "logged on",
                LogonOutcome::End => "logged off",
                LogonOutcome::Failure => "failed to log on",
                LogonOutcome::SpecialPrivileges => "was given special privileges",
                LogonOutcome::ExplicitCredentials => "used explicit credentials",
            };
            format!("{} {what} (type {}){from}", account(logon.user), logon.kind)
        }
        Activity::PrivilegeChange(change) => {
            format!("{:?}: {} for {}", change.kind, change.object, account(change.principal))
        }
        Activity::SoftwareChange(software) => {
            format!("{} {} was installed or removed", software.name, software.version)
        }
        Activity::ServiceChange(service) => {
            format!("service {} ({:?}): {}", service.name, service.operation, clip(service.command_line, QUOTED))
        }
        Activity::Script(script) => format!("script: {}", clip(script.text, QUOTED)),
        Activity::Text(line) => format!("{}: {}", line.program, clip(line.message, QUOTED)),
        Activity::Dns(dns) => format!("{who} asked for {}", dns.query),
        Activity::Telemetry(telemetry) => format!("logging changed ({:?}): {}", telemetry.state, telemetry.details),
    }
}

fn as_user(event: &ProcessEvent<'_>) -> String {
    match account(event.process.user).as_str() {
        "" => String::new(),
        user => format!(" as {user}"),
    }
}

fn or<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn what_failed_or_was_refused_is_told_as_tried() {
        let told = |outcome| {
            let mut event = unix_connected(0.0, "/run/q/sock", "0", 0o600).of("/usr/bin/qtool", 7);
            event.0.outcome = outcome;
            observation(&event).text
        };
        assert_eq!(told(Outcome::Success), "qtool (7) opened unix_socket /run/q/sock");
        assert_eq!(told(Outcome::Failure), "qtool (7) failed to open unix_socket /run/q/sock");
        assert_eq!(told(Outcome::Denied), "qtool (7) was refused to open unix_socket /run/q/sock");
    }

    #[test]
    fn a_bind_is_no_visit() {
        let bound = flow_in(0, 5040, "", 0).of(r"C:\Windows\System32\svchost.exe", 9);
        assert_eq!(observation(&bound).text, "svchost.exe (9) bound port 5040");
    }
}
