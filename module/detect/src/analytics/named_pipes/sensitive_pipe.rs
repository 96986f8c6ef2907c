//! # IPC-PIPE-020: Sensitive pipe opened by an unexpected program
//!
//! ## What it detects
//! The pipe of a database, a key agent, a password manager or a container engine, opened by a program that is not one
//! of its clients: high for script hosts, LOLBins and programs in user-writable locations.
//!
//! ## Why it matters
//! The pipe's access control checks the user, not the program. Access to the Windows internal database reveals the
//! signing keys of AD FS; to a key agent, the user's keys; to the container engine, the whole machine.
//!
//! ## Telemetry
//! Sysmon 18.
//!
//! ## False positives
//! Developer tools that use the engine or the agent directly: allow by path. Databases accessed over the network are
//! not covered.
//!
//! ## References
//! ATT&CK T1559, T1005, T1552, T1611; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::context::pipes::label;
use crate::vocabulary::pipes::sensitive::{self, Holds};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-020",
    title: "Sensitive pipe opened by an unexpected program",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1005", "T1552", "T1611"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    if pipe.channel.remote {
        return None;
    }
    let sensitive = sensitive::of(pipe.name)?;
    let (client, server) = context.pipe_ends(&pipe);
    if client.image.is_empty() || sensitive.is_for(client.name()) {
        return None;
    }
    // Two programs in the same folder belong to one product.
    let folder = crate::text::directory(client.image);
    if !server.image.is_empty() && folder.eq_ignore_ascii_case(crate::text::directory(server.image)) {
        return None;
    }
    let lolbin = predicates::is_script_host(client) || predicates::is_lolbin(client);
    let strange = lolbin || predicates::is_untrusted(client);
    let severity = if strange { Severity::High } else { Severity::Medium };
    let gives = match sensitive.holds {
        Holds::Database => "a database",
        Holds::Secrets => "keys and passwords",
        Holds::Control => "control of containers or virtual machines",
    };
    let text = format!(
        "{} opened pipe {}, which gives {gives}, and is not one of its clients.",
        label(client),
        pipe.channel.name
    );
    let reasons = Reasons::NONE
        .and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY)
        .and_if(predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES);
    Some(
        Evidence::new(severity, Confidence::High, text)
            .reasons(reasons)
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
            .pipe(context, &pipe),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_shell_at_the_internal_database_is_high() {
        let shell = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        let events = [pipe_opened(0, r"\MICROSOFT##WID\tsql\query").of(shell, 30)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn another_product_at_a_key_agent_is_medium() {
        let events = [pipe_opened(0, r"\openssh-ssh-agent").of(r"C:\Program Files\Odd\odd.exe", 30)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn its_own_clients_are_quiet() {
        let events = [
            pipe_opened(0, r"\MICROSOFT##WID\tsql\query")
                .of(r"C:\Windows\ADFS\Microsoft.IdentityServer.ServiceHost.exe", 30),
            pipe_opened(1, r"\openssh-ssh-agent").of(r"C:\Windows\System32\OpenSSH\ssh.exe", 31),
            pipe_opened(2, r"\docker_engine").of(r"C:\Program Files\Docker\docker.exe", 32),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_program_in_the_server_s_folder_and_a_remote_client_are_quiet() {
        let events = [
            pipe_created(0, r"\vmware-usbarb").of(r"C:\Program Files\VMware\usb.exe", 30),
            pipe_opened(1, r"\vmware-usbarb").of(r"C:\Program Files\VMware\helper.exe", 31),
            pipe_remote(2, r"\sql\query"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
