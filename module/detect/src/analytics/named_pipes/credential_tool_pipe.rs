//! # IPC-PIPE-028: Pipe of a credential tool
//!
//! ## What it detects
//! A pipe name that credential dumping and token stealing tools use between their injected code and their front end.
//!
//! ## Why it matters
//! It indicates code injected into LSASS, or theft of tokens of logged-on users.
//!
//! ## Telemetry
//! Sysmon 17 and 18, Security 5145 on IPC$.
//!
//! ## False positives
//! Authorised password recovery or a penetration test; confirm with a change record.
//!
//! ## References
//! ATT&CK T1559, T1003, T1134; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::vocabulary::pipes::tools;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-028",
    title: "Pipe of a credential tool",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1003", "T1134"],
    attack_analytics: &["AN1357"],
    severity: Severity::Critical,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let tool = tools::credential(pipe.name)?;
    let (client, server) = context.pipe_ends(&pipe);
    let act = pipe.act(client, server);
    let text = format!(
        "{act} pipe {}: the name belongs to {}, which takes credentials from this machine.",
        pipe.channel.name, tool.family
    );
    let privileged = predicates::is_privileged(server) || predicates::is_privileged(client);
    // The name itself is the indicator, whatever process uses it.
    let evidence = Evidence::new(Severity::Critical, Confidence::High, text)
        .reasons(Reasons::UNKNOWN_BINARY.and_if(privileged, Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::UNEXPECTED_USE)
        .pipe(context, &pipe)
        .smb_client(context, &pipe);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_dumper_s_pipe_fires_on_creation_and_opening() {
        let created = [pipe_created(0, r"\lsadump-1f2").of(r"C:\Windows\System32\lsass.exe", 30)];
        check(&ANALYTIC, &created, Some((Severity::Critical, Confidence::High)));
        let opened = [pipe_opened(0, r"\imposecost").of(r"C:\Users\bob\k.exe", 31)];
        check(&ANALYTIC, &opened, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn the_real_local_security_authority_is_quiet() {
        let events = [
            pipe_created(0, r"\lsass").of(r"C:\Windows\System32\lsass.exe", 30),
            pipe_opened(1, r"\lsarpc").of(r"C:\Windows\System32\svchost.exe", 31),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_name_that_only_contains_a_tool_s_is_quiet() {
        check(&ANALYTIC, &[pipe_created(0, r"\my-hashdump-tests").of(r"C:\Users\bob\k.exe", 31)], None);
    }
}
