//! # IPC-PIPE-002: Pipe that imitates a system or product name
//!
//! ## What it detects
//! A pipe name in one of the formats that configurable implants use to imitate Windows or a product. Strict formats
//! match the whole name (`msagent_` and up to four hexadecimal digits), loose formats only its beginning. The program
//! that legitimately owns the pipe family is excluded.
//!
//! ## Why it matters
//! Such a name looks like an RPC pipe in a list, and differs on every machine, so that exact indicators do not match
//! it.
//!
//! ## Telemetry
//! Sysmon 17 and 18, Security 5145 on IPC$.
//!
//! ## False positives
//! Products whose pipe names have the same beginning: at most low if they are installed in a folder that users cannot
//! write to. Names that contain their creator (`mojo.`, `Winsock2\`) are compared with it by IPC-PIPE-003 instead.
//!
//! ## References
//! ATT&CK T1559, T1036, T1071; DET0493 (AN1357). Public Cobalt Strike profiles.

use backchannel_events::{
    ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, SignatureStatus, Source,
};

use crate::vocabulary::pipes::{self, imitations, owners, tools};
use crate::{Analytic, Context, Evidence, Family, predicates, text};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-002",
    title: "Pipe that imitates a system or product name",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1036", "T1071"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let strict = imitations::is_strict(pipe.name);
    if !strict && !imitations::is_loose(pipe.name) {
        return None;
    }
    let named = tools::c2(pipe.name).or_else(|| tools::executor(pipe.name)).or_else(|| tools::credential(pipe.name));
    if named.is_some() || owners::of(pipe.name).is_some() || pipes::claim(pipe.name).is_some() {
        return None;
    }
    let (client, server) = context.pipe_ends(&pipe);
    // Reported at the creation; an opening counts if the creation was not logged.
    if owners::is_of_the_family(pipe.name, server.image) || (!pipe.creation && !server.is_unknown()) {
        return None;
    }
    let lolbin = predicates::is_lolbin(server) || predicates::is_script_host(server);
    let untrusted = predicates::is_untrusted(server);
    let product = server.signature == SignatureStatus::Trusted && text::contains(server.image, r"\Program Files");
    let (severity, confidence) = match (strict, server.is_unknown()) {
        (true, true) => (Severity::High, Confidence::Medium),
        (true, _) if untrusted || lolbin => (Severity::Critical, Confidence::High),
        (true, _) if product => (Severity::Medium, Confidence::Medium),
        (true, _) => (Severity::High, Confidence::High),
        (false, _) if untrusted || lolbin => (Severity::Medium, Confidence::Low),
        (false, _) => (Severity::Low, Confidence::Low),
    };
    let act = pipe.act(client, server);
    let alike = if strict { "has exactly the shape" } else { "begins like the names" };
    let text = format!(
        "{act} pipe {}: the name {alike} that configurable implants use to pass for a system's or a product's.",
        pipe.channel.name
    );
    let ends = [client, server];
    let reasons = Reasons::NONE
        .and_if(ends.iter().any(|&end| predicates::is_unknown_binary(end)), Reasons::UNKNOWN_BINARY)
        .and_if(strict && ends.iter().any(|&end| predicates::is_privileged(end)), Reasons::ADMINISTRATIVE_PRIVILEGES);
    let evidence = Evidence::new(severity, confidence, text)
        .reasons(reasons)
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
    fn a_strict_format_is_high_and_critical_by_a_lolbin() {
        let by = |image| [pipe_created(0, r"\msagent_8f").of(image, 30)];
        check(&ANALYTIC, &by(r"C:\Windows\System32\notepad.exe"), Some((Severity::High, Confidence::High)));
        check(&ANALYTIC, &by(r"C:\Windows\System32\rundll32.exe"), Some((Severity::Critical, Confidence::High)));
        check(&ANALYTIC, &by(r"C:\Users\bob\b.exe"), Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn a_loose_format_is_medium_by_an_untrusted_program_and_low_by_a_product() {
        let by = |image| [pipe_created(0, r"\MSSE-x12-server").of(image, 30)];
        check(&ANALYTIC, &by(r"C:\Users\bob\b.exe"), Some((Severity::Medium, Confidence::Low)));
        check(&ANALYTIC, &by(r"C:\Program Files\A\a.exe"), Some((Severity::Low, Confidence::Low)));
    }

    #[test]
    fn an_opening_counts_where_the_creation_was_not_logged() {
        check(&ANALYTIC, &[pipe_remote(0, r"\postex_ab12")], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn the_family_s_own_program_and_the_plain_name_are_quiet() {
        let events = [
            pipe_created(0, r"\spoolss").of(r"C:\Windows\System32\spoolsv.exe", 30),
            pipe_created(1, r"\MsFteWds12").of(r"C:\Windows\System32\SearchIndexer.exe", 31),
            pipe_created(2, r"\Winsock2\CatalogChangeListener-1f-0").of(r"C:\Windows\System32\svchost.exe", 31),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_tool_s_default_name_is_left_to_another_analytic() {
        check(&ANALYTIC, &[pipe_created(0, r"\demoagent_11").of(r"C:\Users\bob\b.exe", 30)], None);
    }
}
