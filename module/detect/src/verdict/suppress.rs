//! Which of the site's rules silences a finding. Allow rules first, in their order; then what is expected here. An
//! indicator of compromise is silenced by an allow rule only.

use backchannel_events::{Activity, Finding, Mechanism, Party, ProcessEvent, Severity, Suppression};

use crate::analytics::generic::indicator_match;
use crate::context::Context;
use crate::memory::ProcessId;
use crate::text::{base_name, matches};
use crate::tunables::{AllowRule, is_program};
use crate::vocabulary::pipes;
use crate::{Actor, Analytic, predicates};

/// The rule that silences the finding. `ends` are the remembered processes at its ends.
pub fn by(
    analytic: &Analytic,
    context: &Context<'_>,
    event: &ProcessEvent<'_>,
    finding: &Finding,
    ends: [Option<ProcessId>; 2],
) -> Option<Suppression> {
    let tuning = context.tuning;
    if let Some(rule) = tuning.allow.iter().find(|rule| allows(rule, finding)) {
        return Some(Suppression { rule: rule.name.clone(), reason: rule.reason.clone() });
    }
    if !finding.ioc_matches.is_empty() || finding.analytic == indicator_match::ANALYTIC.id {
        return None;
    }
    expected(analytic, context, event, finding, ends)
}

fn expected(
    analytic: &Analytic,
    context: &Context<'_>,
    event: &ProcessEvent<'_>,
    finding: &Finding,
    ends: [Option<ProcessId>; 2],
) -> Option<Suppression> {
    let expected = &context.tuning.expected;
    let by = |rule: &str, reason: String| Some(Suppression { rule: rule.to_owned(), reason });
    for (parent, child) in &expected.pairs {
        if is_pair(context, event, ends, parent, child) {
            return by("AllowedParentChildPairs", format!("{parent} is expected to start {child}"));
        }
    }
    if let Some(channel) = &finding.channel {
        let name = channel.name.as_str();
        let named = |names: &[String]| names.iter().find(|pattern| matches(pattern, name)).cloned();
        let client = |programs: &[String]| {
            let path = finding.client.as_ref().map_or("", |party| party.path.as_str());
            programs.iter().find(|program| is_program(program, path)).cloned()
        };
        let found = match channel.mechanism {
            Mechanism::NamedPipe | Mechanism::RpcNamedPipe => {
                expected.pipes.find(pipes::bare(name)).map(|pattern| ("PipeNamePattern", pattern.to_owned()))
            }
            Mechanism::UnixSocket | Mechanism::UnixAbstract if !untrusted(finding) => {
                named(&expected.sockets).map(|socket| ("SocketPathBaseline", socket))
            }
            Mechanism::Fifo => client(&expected.fifo_programs).map(|program| ("FIFOAccessPatterns", program)),
            Mechanism::Com | Mechanism::Dcom => {
                let bare = |text: &str| text.trim_matches(['{', '}']).to_ascii_lowercase();
                let object = expected.com_objects.iter().find(|object| bare(object) == bare(name)).cloned();
                object.map(|object| ("COMObjectAllowList", object))
            }
            Mechanism::Xpc => client(&expected.xpc_clients).map(|program| ("AllowedXPCClients", program)),
            _ => None,
        };
        if let Some((rule, entry)) = found {
            return by(rule, format!("{entry} is expected here"));
        }
    }
    if finding.severity <= Severity::Medium
        && !untrusted(finding)
        && let Some(tool) = expected.remote_management.iter().find(|tool| uses(context, finding, tool))
    {
        return by("sanctioned_rmm", format!("{tool} is a remote management tool of this site"));
    }
    if finding.severity <= Severity::Low || !analytic.thresholds.is_empty() {
        let window = expected.maintenance.iter().find(|window| {
            window.when.holds(finding.time)
                && (window.hosts.is_empty() || window.hosts.iter().any(|host| matches(host, &finding.host)))
        });
        return window.and_then(|window| by(&format!("maintenance window {}", window.name), window.reason.clone()));
    }
    None
}

fn parties(finding: &Finding) -> impl Iterator<Item = &Party> {
    finding.client.iter().chain(&finding.server)
}

fn untrusted(finding: &Finding) -> bool {
    parties(finding).any(|party| party.untrusted)
}

/// Whether the tool is at one end, or started what is.
fn uses(context: &Context<'_>, finding: &Finding, tool: &str) -> bool {
    let parent = context.parent();
    parties(finding).any(|party| is_program(tool, &party.path))
        || (is_program(tool, parent.image) && !predicates::is_untrusted(parent))
}

/// Whether the event is the start of such a child by such a parent, or the two ends are such a pair.
fn is_pair(
    context: &Context<'_>,
    event: &ProcessEvent<'_>,
    ends: [Option<ProcessId>; 2],
    parent: &str,
    child: &str,
) -> bool {
    let pair = |p: Actor<'_>, c: Actor<'_>| is_program(parent, p.image) && is_program(child, c.image);
    if matches!(event.activity, Activity::ProcessStart) && pair(context.parent(), context.subject()) {
        return true;
    }
    let [Some(one), Some(other)] = ends else { return false };
    [(one, other), (other, one)].into_iter().any(|(p, c)| {
        context.host.processes.get(c).is_some_and(|known| known.parent == Some(p))
            && context.remembered(p).zip(context.remembered(c)).is_some_and(|(p, c)| pair(p, c))
    })
}

/// Whether a rule of the site allows what the finding says: every condition that is given holds, and one is given.
fn allows(rule: &AllowRule, finding: &Finding) -> bool {
    if rule.expires.is_some_and(|end| finding.time > end) {
        return false;
    }
    let conditions = [
        (!rule.analytics.is_empty(), rule.analytics.iter().any(|id| id.eq_ignore_ascii_case(&finding.analytic))),
        (!rule.hosts.is_empty(), rule.hosts.iter().any(|host| matches(host, &finding.host))),
        (
            !rule.users.is_empty(),
            rule.users.iter().any(|user| matches(user, &finding.user) || matches(user, base_name(&finding.user))),
        ),
        (
            !rule.images.is_empty(),
            rule.images
                .iter()
                .any(|image| parties(finding).any(|p| matches(image, &p.path) || matches(image, &p.name))),
        ),
        (
            !rule.hashes.is_empty(),
            rule.hashes.iter().any(|hash| {
                parties(finding)
                    .flat_map(|p| &p.hashes)
                    .any(|known| known.split_once('=').is_some_and(|(_, value)| value.eq_ignore_ascii_case(hash)))
            }),
        ),
        (
            !rule.channels.is_empty(),
            rule.channels
                .iter()
                .any(|name| finding.channel.as_ref().is_some_and(|channel| matches(name, &channel.name))),
        ),
    ];
    conditions.iter().any(|(given, _)| *given) && conditions.iter().all(|(given, holds)| !given || *holds)
}
