//! # IPC-COM-018: Internet Explorer controlled as a COM web client
//!
//! ## What it detects
//! Internet Explorer, started as a COM server, resolves names other than Windows' own or connects to the network within
//! ten seconds of a script host, rundll32, regsvr32 or an untrusted program loading Internet Explorer's COM proxy.
//!
//! ## Why it matters
//! A hidden browser makes an implant's traffic look like the user's, and uses the user's proxy credentials.
//!
//! ## Telemetry
//! Sysmon 7 (`ieproxy.dll`), 1, 3, 22.
//!
//! ## False positives
//! Office also loads the proxy to render web content: Office is not among the clients considered.
//!
//! ## References
//! ATT&CK T1559.001, T1071.001; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::memory::Note;
use crate::text::{base_name, contains, contains_any};
use crate::vocabulary::places;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-018",
    title: "Internet Explorer controlled as a COM web client",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1071.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::Dns, ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon],
    // Maximum time between the proxy's load and the traffic.
    window: Some(Duration::from_secs(10)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let browser = context.subject();
    if !browser.is(&["iexplore.exe"]) {
        return None;
    }
    let automated = |actor: Actor<'_>| contains(actor.command_line, "-Embedding");
    // The tab is a child of the automated frame.
    if !automated(browser) && !automated(context.parent()) {
        return None;
    }
    let place = match &event.activity {
        Activity::Dns(dns) if dns.query.contains('.') && !places::is_of_windows(dns.query) => dns.query,
        Activity::NetworkFlow(flow) if flow.outbound && places::is_public(flow.remote.address) => flow.remote.address,
        _ => return None,
    };
    let (client, note) = client(context, event)?;
    let text = format!("{} drives a hidden Internet Explorer, which went to {place}.", client.name());
    Some(
        Evidence::new(Severity::High, Confidence::Medium, text)
            .reasons(Reasons::UNKNOWN_BINARY)
            .indicators(Indicators::UNEXPECTED_USE)
            .client(client)
            .server(browser)
            .channel(Mechanism::Com, "InternetExplorer.Application")
            .because(note, format!("{} loaded Internet Explorer's COM proxy", client.name())),
    )
}

fn client<'c>(context: &Context<'c>, event: &ProcessEvent<'_>) -> Option<(Actor<'c>, &'c Note)> {
    context.host.processes.latest_first().find_map(|process| {
        let (_, note) = process.modules.iter().find(|(module, note)| {
            contains_any(base_name(module), &["ieproxy.dll"]) && note.time.within(context.window(), event.time)
        })?;
        let actor = Actor::remembered(process);
        let asks = actor.is(&["rundll32.exe", "regsvr32.exe"])
            || predicates::is_script_host(actor)
            || predicates::is_untrusted(actor);
        asks.then_some((actor, note))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const IE: &str = r"C:\Program Files\Internet Explorer\iexplore.exe";

    fn story(client: &'static str, query: &'static str) -> [Event; 3] {
        let dns = backchannel_events::DnsQuery { query, answers: "" };
        [
            start(0, IE, "iexplore.exe -Embedding")
                .pid(9)
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch"),
            loaded(1, r"C:\Program Files\Internet Explorer\ieproxy.dll").of(client, 5),
            event(4, Activity::Dns(dns)).of(IE, 9),
        ]
    }

    #[test]
    fn a_script_with_a_hidden_browser_fires() {
        let events = story(r"C:\Windows\System32\wscript.exe", "c2.example.net");
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn rundll32_with_a_hidden_browser_fires() {
        let events = story(r"C:\Windows\System32\rundll32.exe", "c2.example.net");
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn windows_own_names_are_quiet() {
        check(&ANALYTIC, &story(r"C:\Windows\System32\wscript.exe", "ocsp.digicert.com"), None);
    }

    #[test]
    fn office_rendering_a_page_is_quiet() {
        let events = story(r"C:\Program Files\Microsoft Office\Office16\WINWORD.EXE", "news.example.net");
        check(&ANALYTIC, &events, None);
    }
}
