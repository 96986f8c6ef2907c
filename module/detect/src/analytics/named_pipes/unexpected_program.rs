//! # IPC-PIPE-022: Unexpected program uses a named pipe
//!
//! ## What it detects
//! A pipe created or opened by a program that normally uses none of its own (`wermgr`, `calc`, `ping`, `regsvr32`,
//! rundll32 without arguments ...): low; high if the name is random or only a GUID. Also a pipe named only by a GUID
//! and created by explorer: high. Pipes that most programs open, and names that correctly identify their creator, are
//! excluded.
//!
//! ## Why it matters
//! Implants start such a program, inject themselves into it and communicate with their operator over a pipe.
//!
//! ## Telemetry
//! Sysmon 17 and 18.
//!
//! ## False positives
//! Compilers and installers with build servers: low; allow by path.
//!
//! ## References
//! ATT&CK T1559, T1055, T1071; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::context::pipes::label;
use crate::vocabulary::pipes::{self, owners, random, sacrificial};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-022",
    title: "Unexpected program uses a named pipe",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1055", "T1071"],
    attack_analytics: &["AN1357"],
    severity: Severity::Low,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let subject = context.subject();
    if pipe.channel.remote || owners::is_universal(pipe.name) || owners::of(pipe.name).is_some() {
        return None;
    }
    let guid = pipes::is_guid(pipe.name);
    let explorer = pipe.creation && guid && subject.is(&["explorer.exe"]);
    if !explorer && !sacrificial::is_sacrificial(subject) {
        return None;
    }
    if pipes::claim(pipe.name).is_some() {
        return None;
    }
    let odd = guid || random::is_random(pipe.name);
    let severity = if odd { Severity::High } else { Severity::Low };
    let does = if pipe.creation { "made" } else { "opened" };
    let why = if odd { ", and the name is random or a GUID" } else { "" };
    let text =
        format!("{} {does} pipe {}: this program does not normally use pipes{why}.", label(subject), pipe.channel.name);
    Some(
        Evidence::new(severity, Confidence::Medium, text)
            .reasons(Reasons::NONE.and_if(odd && predicates::is_unknown_binary(subject), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .pipe(context, &pipe),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_guid_as_the_only_name_is_high_even_cut_short() {
        let events =
            [pipe_created(0, r"\{0c5de65b-4f6e-4b4c-8d0f-11112222}").of(r"C:\Windows\System32\wermgr.exe", 30)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn any_other_pipe_is_low() {
        let events = [pipe_opened(0, r"\companion").of(r"C:\Windows\System32\calc.exe", 30)];
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn common_pipes_and_names_that_match_their_creator_are_quiet() {
        let events = [
            pipe_opened(0, r"\srvsvc").of(r"C:\Windows\System32\rdpclip.exe", 30),
            pipe_opened(1, r"\spoolss").of(r"C:\Windows\System32\dllhost.exe", 31),
            pipe_created(2, r"\Winsock2\CatalogChangeListener-20-0").of(r"C:\Windows\System32\mstsc.exe", 32),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn other_programs_and_rundll32_at_work_are_quiet() {
        let rundll = r"C:\Windows\System32\rundll32.exe";
        let events = [
            pipe_created(0, r"\companion").of(r"C:\Program Files\A\a.exe", 30),
            start(1, rundll, "rundll32.exe shell32.dll,Control_RunDLL").pid(31),
            pipe_created(2, r"\companion").of(rundll, 31),
        ];
        check(&ANALYTIC, &events, None);
    }
}
