//! # IPC-BASE-015: Masqueraded endpoint of a channel
//!
//! ## What it detects
//! A process with the name of a Windows program, outside the folders of Windows, that creates or opens a channel or is
//! started by a COM or WMI broker; or a LOLBin under another name.
//!
//! ## Why it matters
//! System program names outside their folder, and renamed LOLBins, are used for masquerading.
//!
//! ## Telemetry
//! Sysmon 1, 17, 18 or Security 4688. The renamed form needs Sysmon 1 (OriginalFileName).
//!
//! ## False positives
//! Mounted images of another Windows installation; portable copies of administration tools.
//!
//! ## References
//! ATT&CK T1559, T1036.005; DET0493 (AN1357).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::activation;
use crate::vocabulary::{os_programs, programs};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-015",
    title: "Masqueraded endpoint of a channel",
    family: Family::Generic,
    techniques: &["T1559", "T1036.005"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect, ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let subject = context.subject();
    let out_of_place = os_programs::is_out_of_place(subject.image);
    let renamed = subject.image.contains('\\') && is_renamed(subject.name(), subject.original_name);
    if !out_of_place && !renamed {
        return None;
    }
    let (mechanism, name) = match &event.activity {
        Activity::ChannelCreate(channel) | Activity::ChannelConnect(channel) => {
            (channel.mechanism, channel.name.to_owned())
        }
        _ => {
            activation::of_start(context)?;
            (Mechanism::Com, crate::vocabulary::com::class_of(subject))
        }
    };
    let text = if out_of_place {
        format!(
            "{} has the name of a program of Windows but runs from {}, and uses {} {name}.",
            subject.name(),
            subject.image,
            mechanism.as_str()
        )
    } else {
        format!(
            "{} is {} under another name, and uses {} {name}.",
            subject.image,
            subject.original_name,
            mechanism.as_str()
        )
    };
    let evidence = Evidence::new(Severity::High, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(subject) || out_of_place, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(subject)
        .channel(mechanism, name);
    Some(evidence)
}

/// Whether a LOLBin runs under another name than its original one.
fn is_renamed(name: &str, original: &str) -> bool {
    // Only the version resource keeps the original name when the file is renamed; auditd's `comm` does not.
    if original.is_empty() || name.is_empty() || !(programs::is_lolbin(original) || programs::is_script_host(original))
    {
        return false;
    }
    let stem = |text: &str| text.split('.').next().unwrap_or("").to_ascii_lowercase();
    let (name, original) = (stem(name), stem(original));
    // Versions and variants keep the stem: python3, powershell_ise.
    name != original && !name.starts_with(&original) && !original.starts_with(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_svchost_in_the_windows_folder_itself_that_makes_a_pipe_fires() {
        let events = [pipe_created(0, r"\svc-ws9-44-stdin").of(r"C:\Windows\svchost.exe", 50)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_renamed_rundll32_that_opens_a_pipe_fires() {
        let events = [
            start(0, r"C:\ProgramData\Vendor\update.exe", "update.exe x.dll,a").pid(50).original_name("RUNDLL32.EXE"),
            pipe_opened(1, r"\abc").of(r"C:\ProgramData\Vendor\update.exe", 50),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_real_svchost_is_quiet() {
        check(&ANALYTIC, &[pipe_created(0, r"\wkssvc").of(r"C:\Windows\System32\svchost.exe", 50)], None);
    }

    #[test]
    fn a_misplaced_program_that_only_starts_is_quiet() {
        let events =
            [start(0, r"C:\Windows\svchost.exe", "svchost.exe").by(r"C:\Windows\explorer.exe", "explorer.exe")];
        check(&ANALYTIC, &events, None);
    }
}
