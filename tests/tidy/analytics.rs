//! Checks of every analytic: its file, its declaration and its documentation header agree.

use std::collections::BTreeSet;
use std::path::Path;

use backchannel_detect::Analytic;
use backchannel_detect::analytics::ANALYTICS;
use backchannel_events::{ActivityKind, Source, Timestamp};
use backchannel_normalize::{Fields, Normalizer, Place, Record, WindowsRecord};
use backchannel_tests::{files, read, root};
use bumpalo::Bump;

/// The headings of an analytic's header, in their order.
const HEADINGS: [&str; 5] = ["What it detects", "Why it matters", "Telemetry", "False positives", "References"];

/// The file of an analytic.
struct File {
    /// Path from the root of the repository.
    name: String,
    text: String,
}

impl File {
    fn all() -> Vec<Self> {
        files(&root().join("module/detect/src/analytics"), ".rs")
            .into_iter()
            .map(|path| Self {
                name: path.strip_prefix(root()).expect("below the root").display().to_string(),
                text: read(&path),
            })
            .filter(|file| file.text.contains("\npub const ANALYTIC: Analytic = "))
            .collect()
    }

    /// The files, each with its declaration.
    fn declared() -> Vec<(Self, &'static Analytic)> {
        let files = Self::all().into_iter().map(|file| {
            let analytic = ANALYTICS.iter().find(|analytic| analytic.id == file.id());
            let analytic = analytic.unwrap_or_else(|| panic!("{}: {} is missing in ANALYTICS", file.name, file.id()));
            (file, *analytic)
        });
        files.collect()
    }

    fn id(&self) -> &str {
        self.text.split("    id: \"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id")
    }

    /// Its code, without header, comments and tests.
    fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]").next().unwrap_or("");
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    /// The text below a heading of its header, in one line.
    fn section(&self, heading: &str) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let below = lines.skip_while(|line| line.strip_prefix("## ") != Some(heading)).skip(1);
        below.take_while(|line| !line.starts_with("## ")).collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}

#[test]
fn it_holds_no_state_and_imports_no_other() {
    for file in File::all() {
        let code = file.code().replace("&'static ", "");
        for never in ["static ", "thread_local", "RefCell", "Mutex", "crate::analytics", "use super::super"] {
            assert!(
                !code.contains(never),
                "{} has `{never}`: state is the context's; share through predicates",
                file.name
            );
        }
    }
}

#[test]
fn it_is_registered_and_in_the_folder_of_its_family() {
    let files = File::declared();
    for (File { name, .. }, analytic) in &files {
        let folder = Path::new(name).parent().and_then(|folder| folder.file_name()).expect("a folder");
        assert_eq!(folder.to_string_lossy(), analytic.family.as_str(), "{name} is in the wrong folder");
    }
    assert_eq!(files.len(), ANALYTICS.len(), "a file for each analytic and an analytic for each file");
}

#[test]
fn its_header_has_its_id_its_title_and_its_five_headings() {
    for (File { name, text }, analytic) in File::declared() {
        let title = format!("//! # {}: {}\n", analytic.id, analytic.title);
        assert!(text.starts_with(&title), "{name} must begin with `{}`", title.trim_end());
        let at = HEADINGS.map(|heading| {
            text.find(&format!("//! ## {heading}\n")).unwrap_or_else(|| panic!("{name} lacks `{heading}`"))
        });
        assert!(at.is_sorted(), "{name}: the headings come in the order {HEADINGS:?}");
    }
}

#[test]
fn its_id_is_in_its_header_and_in_its_declaration_only() {
    for (File { name, text }, analytic) in File::declared() {
        assert_eq!(text.matches(analytic.id).count(), 2, "{name}: {}", analytic.id);
    }
}

#[test]
fn its_references_name_its_techniques_and_the_analytics_of_attack_that_it_implements() {
    for (file, analytic) in File::declared() {
        let references = file.section("References");
        let wanted = format!("ATT&CK {};", analytic.techniques.join(", "));
        assert!(references.contains(&wanted), "{}: the references must have `{wanted}`: {references}", file.name);
        let named: Vec<&str> = references
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.strip_prefix("AN").is_some_and(|rest| rest.parse::<u32>().is_ok()))
            .collect();
        assert_eq!(named, analytic.attack_analytics, "{}: {references}", file.name);
    }
}

#[test]
fn configurable_values_are_declared_where_they_are_used() {
    let mut mistakes = Vec::new();
    for (file, analytic) in File::declared() {
        let code = file.code();
        let thresholds = code.lines().filter(|line| line.contains("const ") && line.contains(": Threshold =")).count();
        let documented = file.section("Telemetry").contains("a baseline; inactive without one");
        for (holds, rule) in [
            (
                code.contains("context.window()") == analytic.window.is_some(),
                "a `window` is declared if and only if it is used",
            ),
            (thresholds == analytic.thresholds.len(), "each Threshold is listed in `thresholds`"),
            (
                code.contains("context.exchange?") == analytic.needs_baseline,
                "`needs_baseline` is set if and only if there are no findings without a baseline",
            ),
            (documented == analytic.needs_baseline, "the header's telemetry ends with the baseline that it needs"),
        ] {
            if !holds {
                mistakes.push(format!("{}: {rule}", file.name));
            }
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// The name of a source in headers.
fn called(source: Source) -> &'static str {
    match source {
        Source::Unknown => "unknown",
        Source::Sysmon => "Sysmon",
        Source::Security => "Security",
        Source::DistributedCom => "DistributedCOM",
        Source::System => "System",
        Source::PowerShell => "PowerShell",
        Source::WmiActivity => "WMI-Activity",
        Source::Application => "Application log",
        Source::RpcTrace => "RPC trace",
        Source::RpcFirewall => "RPC Firewall",
        Source::Auditd => "auditd",
        Source::Syslog => "syslog",
        Source::Zeek => "Zeek",
        Source::EndpointSecurity => "Endpoint Security",
    }
}

#[test]
fn its_header_names_the_sources_that_it_reads() {
    let mut mistakes = Vec::new();
    // A name that contains another name is joined to one word.
    let plain = |text: &str| text.to_lowercase().replace("endpoint security", "endpoint-security");
    for (file, analytic) in File::declared() {
        let text = plain(&file.section("Telemetry"));
        let in_a_word = |at: usize| text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
        for name in analytic.telemetry.iter().map(|&source| called(source)) {
            if !text.match_indices(&plain(name)).any(|(at, _)| !in_a_word(at)) {
                mistakes.push(format!("{}: the telemetry does not name {name}: {text}", file.name));
            }
        }
        for part in file.code().split("Source::").skip(1) {
            let variant = part.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
            if !analytic.telemetry.iter().any(|source| format!("{source:?}") == variant) {
                mistakes.push(format!("{}: the code reads {variant}, which `telemetry` does not list", file.name));
            }
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// The providers that a source's name in a header stands for.
fn providers(source: Source) -> &'static [&'static str] {
    const LOG: &str = "Microsoft-Windows-Eventlog";
    match source {
        Source::Sysmon => &["Microsoft-Windows-Sysmon"],
        Source::Security => &["Microsoft-Windows-Security-Auditing", LOG],
        Source::DistributedCom => &["Microsoft-Windows-DistributedCOM"],
        Source::System => &["Service Control Manager", LOG],
        Source::PowerShell => &["Microsoft-Windows-PowerShell", "PowerShell"],
        Source::WmiActivity => &["Microsoft-Windows-WMI-Activity"],
        _ => &[],
    }
}

/// The kinds of activity of a record with that source and id, determined with the normaliser: once for each variant of
/// records whose kind depends on a field.
fn kinds(source: Source, event_id: u32) -> BTreeSet<ActivityKind> {
    const FORMS: &[&[(&str, &str)]] = &[
        &[("ShareName", r"\\*\IPC$"), ("RelativeTargetName", "svcctl"), ("ObjectType", "Process"), ("ObjectName", "x")],
        &[("ShareName", r"\\*\C$"), ("RelativeTargetName", "x"), ("ObjectType", "File"), ("ObjectName", r"C:\x")],
    ];
    let mut kinds = BTreeSet::new();
    for (&provider, fields) in
        providers(source).iter().flat_map(|provider| FORMS.iter().map(move |form| (provider, form)))
    {
        let record = WindowsRecord {
            provider,
            event_id,
            computer: "ws01",
            time: Timestamp::from_civil(2026, 1, 2, 3, 4, 5, 0),
            fields: Fields::Named(fields),
            ..WindowsRecord::default()
        };
        Normalizer::new().accept(&Record::Windows(record), Place::default(), &Bump::new(), &mut |event| {
            if event.provenance.source == source {
                kinds.insert(event.activity.kind());
            }
        });
    }
    kinds
}

/// Tables of the memory, by the methods with which an analytic's code queries them, and the kinds of activity that fill
/// them.
const MEMORY: &[(&str, &[ActivityKind])] = &[
    ("context.", &[ActivityKind::ProcessStart]),
    (".modules", &[ActivityKind::ModuleLoad]),
    ("is_unknown_binary", &[ActivityKind::ModuleLoad]),
    (".end", &[ActivityKind::ProcessEnd]),
    ("consent::", &[ActivityKind::ProcessEnd]),
    (".flows", &[ActivityKind::NetworkFlow]),
    ("inbound::", &[ActivityKind::NetworkFlow]),
    ("_smb(", &[ActivityKind::NetworkFlow, ActivityKind::Logon]),
    ("logon", &[ActivityKind::Logon]),
    ("activation", &[ActivityKind::Logon]),
    (".channel", &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect]),
    ("pipe", &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect]),
    ("far::", &[ActivityKind::ChannelConnect]),
    (".rpc_calls", &[ActivityKind::RpcCall]),
    (".changes", &[ActivityKind::PrivilegeChange]),
    (".injections", &[ActivityKind::ProcessAccess]),
    (".documents", &[ActivityKind::File]),
    (".files", &[ActivityKind::File]),
    ("host.com", &[ActivityKind::Registry]),
    ("host\n        .com", &[ActivityKind::Registry]),
    (".registrations", &[ActivityKind::Registry]),
];

/// The event ids that a text names, each after the name of its source: `Sysmon 1, 3 and 7; Security 4656/4663`.
fn event_ids(text: &str) -> Vec<(Source, u32)> {
    let (mut source, mut found) = (None, Vec::new());
    let text = text.replace("Endpoint Security", "EndpointSecurity");
    for word in text.split([' ', '/']).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())) {
        let named = Source::ALL.into_iter().find(|&source| !providers(source).is_empty() && word == called(source));
        source = named.or(source);
        if let (Some(source), Ok(id)) = (source, word.parse()) {
            found.push((source, id));
        }
    }
    found
}

#[test]
fn the_event_ids_in_its_header_are_of_kinds_that_it_reads() {
    let mut mistakes = Vec::new();
    for (file, analytic) in File::declared() {
        let code = file.code();
        let remembered = MEMORY.iter().filter(|(word, _)| code.contains(word)).flat_map(|(_, kinds)| kinds.iter());
        let reads: BTreeSet<ActivityKind> = remembered.chain(analytic.on).copied().collect();
        for heading in ["What it detects", "Telemetry"] {
            for (source, id) in event_ids(&file.section(heading)) {
                let kinds = kinds(source, id);
                if !kinds.iter().any(|kind| reads.contains(kind)) {
                    let of = if kinds.is_empty() { "is not read by anybody".into() } else { format!("is {kinds:?}") };
                    let place = format!("{}: {heading}: {} {id}", file.name, source.as_str());
                    mistakes.push(format!("{place} {of}, and the code reads {reads:?}"));
                }
            }
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}
