//! Each of the site's settings takes effect.

use backchannel_events::{Channel, Confidence, Finding, Mechanism, Reason, Severity, SignatureStatus};

use super::*;
use crate::analytics::component_object_model::{
    activation_failure_sweep, engine_in_odd_host, remote_access_refused, wmi_script_child,
};
use crate::analytics::generic::{indicator_match, user_to_privileged};
use crate::analytics::named_pipes::{known_tool_pipe, piped_shell, random_name, sweep};
use crate::analytics::network_rpc::reconnaissance_burst;
use crate::analytics::unix_ipc::{container_socket_client, fifo_in_shared_folder, polkit_race};
use crate::analytics::xpc_services::untrusted_client;
use crate::{
    AllowRule, Analytic, Detector, Expected, HostKey, Indicator, IndicatorKind, Maintenance, Patterns, Tunables, When,
};

const TOOL: &str = r"C:\Users\bob\t.exe";
const CMD: &str = r"C:\Windows\System32\cmd.exe";

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn expecting(expected: Expected) -> Tunables {
    Tunables { expected, ..Tunables::default() }
}

/// The rules that suppressed the findings; an empty text for one that was not suppressed.
#[track_caller]
fn suppressed(analytic: &Analytic, events: &[Event], tuning: Tunables) -> Vec<String> {
    let mut detector = Detector::new(tuning);
    let mut rules = Vec::new();
    for event in events {
        detector.evaluate(event, &mut |finding: &Finding| {
            if finding.analytic == analytic.id {
                rules.push(finding.suppressed.as_ref().map_or_else(String::new, |by| by.rule.clone()));
            }
        });
    }
    assert!(!rules.is_empty(), "{} found nothing", analytic.id);
    rules.dedup();
    rules
}

#[test]
fn a_pipe_that_the_site_watches_is_reported_and_its_own_is_suppressed() {
    let events = [pipe_created(0, r"\acme-legacy-7").of(r"C:\Program Files\A\a.exe", 30)];
    check(&known_tool_pipe::ANALYTIC, &events, None);
    let watched_pipes = Patterns::new(&texts(&["^acme-legacy-[0-9]+$"])).unwrap();
    let tuning = Tunables { watched_pipes, ..Tunables::default() };
    check_tuned(&known_tool_pipe::ANALYTIC, &events, tuning, Some((Severity::High, Confidence::Medium)));

    let events = [pipe_created(0, r"\gruntsvc").of(TOOL, 30)];
    let pipes = Patterns::new(&texts(&["^gruntsvc$"])).unwrap();
    let tuning = expecting(Expected { pipes, ..Expected::default() });
    assert_eq!(suppressed(&known_tool_pipe::ANALYTIC, &events, tuning), ["PipeNamePattern"]);
}

#[test]
fn an_expected_child_of_an_expected_parent_is_suppressed_and_no_other() {
    let by = |parent| {
        start(1, CMD, "cmd.exe /c dir").by(parent, "wmiprvse.exe -Embedding").user("NT AUTHORITY", "SYSTEM").session(0)
    };
    let shell = [by(r"C:\Windows\System32\wbem\WmiPrvSE.exe")];
    let pairs =
        |child: &str| expecting(Expected { pairs: vec![("wmiprvse.exe".into(), child.into())], ..Expected::default() });
    assert_eq!(suppressed(&wmi_script_child::ANALYTIC, &shell, pairs(r"*\cmd.exe")), ["AllowedParentChildPairs"]);
    assert_eq!(suppressed(&wmi_script_child::ANALYTIC, &shell, pairs("powershell.exe")), [""]);
}

#[test]
fn an_expected_socket_is_suppressed_unless_an_unknown_program_uses_it() {
    let connect = |image| unix_connected(0.0, "/run/docker.sock", "0", 0o140_660).of(image, 7).uids("990", "990", "");
    let tuning = expecting(Expected { sockets: texts(&["/run/*.sock"]), ..Expected::default() });
    let analytic = &container_socket_client::ANALYTIC;
    assert_eq!(suppressed(analytic, &[connect("/opt/app/server")], tuning.clone()), ["SocketPathBaseline"]);
    assert_eq!(suppressed(analytic, &[connect("/tmp/.x/d")], tuning), [""]);
}

#[test]
fn an_expected_user_of_fifos_is_suppressed() {
    let channel = Channel { mechanism: Mechanism::Fifo, name: "/tmp/sort.pipe", ..Channel::default() };
    let made = event(0.0, backchannel_events::Activity::ChannelCreate(channel))
        .of("/usr/bin/mkfifo", 9)
        .uids("1000", "1000", "1000");
    let programs = |programs: &[&str]| expecting(Expected { fifo_programs: texts(programs), ..Expected::default() });
    let analytic = &fifo_in_shared_folder::ANALYTIC;
    assert_eq!(suppressed(analytic, &[made], programs(&["/usr/bin/mk*"])), ["FIFOAccessPatterns"]);
    assert_eq!(suppressed(analytic, &[made], programs(&["sort"])), [""]);
}

#[test]
fn an_allowed_com_object_is_suppressed_with_or_without_braces() {
    let events = [com_refused(0, "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}", "10.0.0.9")];
    let allowed = |object: &str| expecting(Expected { com_objects: texts(&[object]), ..Expected::default() });
    let analytic = &remote_access_refused::ANALYTIC;
    assert_eq!(suppressed(analytic, &events, allowed("49b2791a-b1ae-4c90-9b8e-e860ba07f889")), ["COMObjectAllowList"]);
    assert_eq!(suppressed(analytic, &events, allowed("{9BA05972-F6A8-11CF-A442-00A0C90A8F39}")), [""]);
}

#[test]
fn an_allowed_client_of_xpc_is_suppressed() {
    let client = xpc_connected(1.0, "org.example.app.helper", true)
        .of("/Users/kim/Downloads/tool", 400)
        .signed(SignatureStatus::Unsigned, "");
    let mut tuning = turned_on(&untrusted_client::ANALYTIC);
    tuning.expected.xpc_clients = texts(&["/Users/*/Downloads/tool"]);
    assert_eq!(suppressed(&untrusted_client::ANALYTIC, &[client], tuning), ["AllowedXPCClients"]);
}

#[test]
fn a_wider_time_window_joins_records_farther_apart() {
    let anonymous = |seconds: f64| {
        let channel = Channel { mechanism: Mechanism::AnonymousPipe, name: "<Anonymous Pipe>", ..Channel::default() };
        event(seconds, backchannel_events::Activity::ChannelCreate(channel)).of(TOOL, 30)
    };
    let shell = start(20, CMD, "cmd").pid(31).by(TOOL, "t.exe").parent_pid(30);
    let events = [start(0, TOOL, "t.exe").pid(30), anonymous(1.0), anonymous(1.1), shell];
    let analytic = &piped_shell::ANALYTIC;
    check(analytic, &events, None);
    let for_all = Tunables { window: Some(30), ..Tunables::default() };
    check_tuned(analytic, &events, for_all, Some((Severity::Low, Confidence::Low)));
    let for_another = Tunables { windows: [("IPC-DCOM-008".to_owned(), 30)].into(), ..Tunables::default() };
    check_tuned(analytic, &events, for_another, None);
}

#[test]
fn an_unsigned_program_raises_a_finding_to_the_site_s_level() {
    let events = [pipe_created(0, r"\xqzvkjwp").of(TOOL, 30)];
    let tuning = Tunables { unsigned_level: Some(Severity::Critical), ..Tunables::default() };
    check_tuned(&random_name::ANALYTIC, &events, tuning, Some((Severity::Critical, Confidence::Low)));
    let tuning = Tunables { unsigned_level: Some(Severity::Info), ..Tunables::default() };
    check_tuned(&random_name::ANALYTIC, &events, tuning.clone(), Some((Severity::Medium, Confidence::Low)));
    let signed =
        [pipe_created(0, r"\gruntsvc").of(r"C:\Program Files\A\a.exe", 30).signed(SignatureStatus::Trusted, "A")];
    let tuning = Tunables { unsigned_level: Some(Severity::Critical), ..tuning };
    check_tuned(&known_tool_pipe::ANALYTIC, &signed, tuning, Some((Severity::Low, Confidence::Low)));
}

const REFUSED: [&str; 3] = [
    "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}",
    "{9BA05972-F6A8-11CF-A442-00A0C90A8F39}",
    "{00024500-0000-0000-C000-000000000046}",
];

#[test]
fn a_listed_remote_host_is_expected_to_call() {
    let events: Vec<Event> =
        REFUSED.iter().enumerate().map(|(i, class)| com_refused(i as f64, class, "10.0.0.9")).collect();
    let listed = |host: &str| Tunables { remote_hosts: texts(&[host]), ..Tunables::default() };
    check_tuned(&activation_failure_sweep::ANALYTIC, &events, listed("10.0.0.9"), None);
    let expected = Some((Severity::High, Confidence::High));
    check_tuned(&activation_failure_sweep::ANALYTIC, &events, listed("10.0.0.8"), expected);
}

#[test]
fn a_privileged_account_or_program_gives_the_reason_of_privilege() {
    let events = [pipe_created(0, r"\gruntsvc").of(TOOL, 30).user("CORP", "dba-kim")];
    let worst = Some((Severity::Critical, Confidence::High));
    let is_e1 = |tuning: Tunables| {
        let found = check_tuned(&known_tool_pipe::ANALYTIC, &events, tuning, worst);
        found[0].reasons.contains(Reason::AdministrativePrivileges)
    };
    assert!(!is_e1(Tunables::default()));
    assert!(is_e1(Tunables { privileged_accounts: texts(&[r"corp\dba-*"]), ..Tunables::default() }));
    assert!(is_e1(Tunables { high_privilege_processes: texts(&["t.exe"]), ..Tunables::default() }));
    assert!(!is_e1(Tunables { high_privilege_processes: texts(&["u.exe"]), ..Tunables::default() }));
}

fn served(day: f64) -> Event {
    pipe_created(day * 86_400.0, r"\vendor\control").of(r"C:\Program Files\V\svc.exe", 40).user("CORP", "vendor")
}

#[test]
fn a_process_that_the_site_counts_as_privileged_is_reported() {
    let odd = pipe_opened(6.0 * 86_400.0 + 9.0, r"\vendor\control").of(r"C:\Users\a\x.exe", 60).user("CORP", "a");
    let (past, events) = (learned(served), [served(6.0), odd]);
    check_learned(&user_to_privileged::ANALYTIC, &past, &events, None);
    let tuning = Tunables { high_privilege_processes: texts(&["svc.exe"]), ..Tunables::default() };
    let expected = Some((Severity::High, Confidence::Medium));
    check_learned_tuned(&user_to_privileged::ANALYTIC, &past, &events, tuning.clone(), expected);
    // An account that the site lists as a service does not belong to a person.
    let tuning = Tunables { service_accounts: texts(&[r"CORP\a"]), ..tuning };
    check_learned_tuned(&user_to_privileged::ANALYTIC, &past, &events, tuning, None);
}

#[test]
fn a_listed_module_is_reported_for_any_process() {
    let events = [loaded(0, r"C:\Program Files\A\old-activex.ocx").of(r"C:\Program Files\A\a.exe", 4)];
    check(&engine_in_odd_host::ANALYTIC, &events, None);
    let tuning = Tunables { suspicious_modules: texts(&["old-*.ocx"]), ..Tunables::default() };
    check_tuned(&engine_in_odd_host::ANALYTIC, &events, tuning, Some((Severity::Medium, Confidence::Medium)));
}

fn pipes_from(count: usize) -> Vec<Event> {
    const PIPES: [&str; 8] =
        [r"\lsass", r"\browser", r"\atsvc", r"\epmapper", r"\eventlog", r"\spoolss", r"\srvsvc", r"\svcctl"];
    let open = |(i, pipe): (usize, &&'static str)| pipe_opened_from(i as f64 / 4.0, pipe, "10.0.0.9", 0x12019f);
    PIPES.iter().enumerate().take(count).map(open).collect()
}

#[test]
fn maintenance_suppresses_scans_and_low_findings_only() {
    let window = |when, host: &str| {
        let maintenance =
            Maintenance { name: "patch night".into(), reason: "updates".into(), hosts: texts(&[host]), when };
        expecting(Expected { maintenance: vec![maintenance], ..Expected::default() })
    };
    let now = When::Once(at(0.0), at(60.0));
    let analytic = &sweep::ANALYTIC;
    assert_eq!(suppressed(analytic, &pipes_from(8), window(now, "ws*")), ["maintenance window patch night"]);
    assert_eq!(suppressed(analytic, &pipes_from(8), window(now, "srv*")), [""]);
    assert_eq!(suppressed(analytic, &pipes_from(8), window(When::Once(at(60.0), at(90.0)), "ws*")), [""]);
    let implant = [pipe_created(0, r"\gruntsvc").of(TOOL, 30)];
    assert_eq!(suppressed(&known_tool_pipe::ANALYTIC, &implant, window(now, "ws*")), [""]);
    let product = [pipe_created(0, r"\screenshot").of(r"C:\Program Files\Snap\snap.exe", 8)];
    let low = suppressed(&known_tool_pipe::ANALYTIC, &product, window(now, "ws*"));
    assert_eq!(low, ["maintenance window patch night"]);
}

#[test]
fn a_sanctioned_tool_is_suppressed_where_users_cannot_write() {
    let tools = |tool: &str| expecting(Expected { remote_management: texts(&[tool]), ..Expected::default() });
    let analytic = &known_tool_pipe::ANALYTIC;
    let remote = [pipe_created(0, r"\screenshot").of(r"C:\Program Files\Acme Remote\agent.exe", 8)];
    assert_eq!(suppressed(analytic, &remote, tools(r"C:\Program Files\Acme Remote\*")), ["sanctioned_rmm"]);
    let copy = [pipe_created(0, r"\screenshot").of(r"C:\Users\bob\agent.exe", 8)];
    assert_eq!(suppressed(analytic, &copy, tools("agent.exe")), [""]);
}

#[test]
fn a_domain_controller_s_findings_are_one_level_higher() {
    let events = [pipe_created(0, r"\xqzvkjwp").of(TOOL, 30)];
    let tuning = Tunables { critical_hosts: texts(&["ws01"]), ..Tunables::default() };
    check_tuned(&random_name::ANALYTIC, &events, tuning, Some((Severity::High, Confidence::Low)));
}

#[test]
fn a_site_can_change_thresholds() {
    let set = |id: &str, name: &str, value| Tunables {
        thresholds: [(id.to_owned(), [(name.to_owned(), value)].into())].into(),
        ..Tunables::default()
    };
    check_tuned(&sweep::ANALYTIC, &pipes_from(8), set("IPC-PIPE-019", "remote_kinds", 9), None);
    let found = Some((Severity::Medium, Confidence::High));
    check_tuned(&sweep::ANALYTIC, &pipes_from(4), set("IPC-PIPE-019", "remote_kinds", 4), found);
    let two: Vec<Event> =
        REFUSED.iter().take(2).enumerate().map(|(i, class)| com_refused(i as f64, class, "10.0.0.9")).collect();
    check(&activation_failure_sweep::ANALYTIC, &two, None);
    let found = Some((Severity::High, Confidence::High));
    check_tuned(&activation_failure_sweep::ANALYTIC, &two, set("IPC-DCOM-003", "classes", 2), found);
    let asks: Vec<Event> = (0..20).map(|n| rpc_from(f64::from(n) * 0.1, "10.0.0.9", "samr", "SamrOpenUser")).collect();
    check(&reconnaissance_burst::ANALYTIC, &asks, None);
    let found = Some((Severity::Medium, Confidence::Medium));
    check_tuned(&reconnaissance_burst::ANALYTIC, &asks, set("IPC-RPC-012", "calls", 20), found);
    let [tries] = polkit_race::ANALYTIC.thresholds else { panic!("one threshold") };
    assert_eq!(set("IPC-LNX-003", "tries", 9).threshold("IPC-LNX-003", tries), 9);
}

#[test]
fn hosts_are_distinguished_by_full_name_if_configured() {
    let hosts = |host_key| {
        let mut detector = Detector::new(Tunables { host_key, ..Tunables::default() });
        let mut found = Vec::new();
        for host in ["ws01.a.example", "ws01.b.example", "WS01.b.example"] {
            let event = pipe_created(0, r"\gruntsvc").of(TOOL, 30).on(host);
            detector.evaluate(&event, &mut |finding: &Finding| found.push(finding.host.clone()));
        }
        found.sort();
        found.dedup();
        (detector.stats().hosts, found)
    };
    assert_eq!(hosts(HostKey::Label), (1, texts(&["ws01"])));
    assert_eq!(hosts(HostKey::Full), (2, texts(&["ws01.a.example", "ws01.b.example"])));
}

fn rule(name: &str, channel: &str, expires: Option<f64>) -> AllowRule {
    AllowRule {
        name: name.into(),
        reason: "known".into(),
        owner: "ops".into(),
        expires: expires.map(at),
        channels: texts(&[channel]),
        ..AllowRule::default()
    }
}

#[test]
fn expired_entries_and_rules_that_suppressed_nothing_are_reported() {
    let indicator = Indicator {
        kind: IndicatorKind::Channel,
        value: "evil".into(),
        list: "feed".into(),
        severity: Severity::Critical,
        confidence: Confidence::High,
        expires: Some(at(50.0)),
    };
    let allow =
        vec![rule("used", "*gruntsvc", None), rule("idle", "*never", None), rule("old", "*gruntsvc", Some(5.0))];
    let mut detector = Detector::new(Tunables { allow, indicators: vec![indicator], ..Tunables::default() });
    let mut seen = 0;
    detector.evaluate(&pipe_created(0, r"\gruntsvc").of(TOOL, 30), &mut |_: &Finding| seen += 1);
    assert!(detector.upkeep().expired.is_empty());
    assert_eq!(detector.upkeep().unmatched, ["idle", "old"]);
    detector.evaluate(&pipe_created(60, r"\other").of(r"C:\Windows\a.exe", 31), &mut |_: &Finding| seen += 1);
    let upkeep = detector.upkeep();
    assert_eq!(upkeep.expired.len(), 2, "{upkeep:?}");
    assert!(upkeep.expired[0].starts_with("allow rule old of ops expired 2023-11-14T22:13:25"), "{upkeep:?}");
    assert!(upkeep.expired[1].starts_with("indicator evil of feed expired"), "{upkeep:?}");
    assert_eq!(upkeep.unmatched, ["idle"]);
    assert!(seen > 0);
}

#[test]
fn an_indicator_of_compromise_is_suppressed_by_an_allow_rule_only() {
    let indicator = Indicator {
        kind: IndicatorKind::Channel,
        value: "acme-*".into(),
        list: "feed".into(),
        severity: Severity::Critical,
        confidence: Confidence::High,
        expires: None,
    };
    let pipes = Patterns::new(&texts(&["^acme-"])).unwrap();
    let mut tuning = expecting(Expected { pipes, ..Expected::default() });
    tuning.indicators = vec![indicator];
    let events = [pipe_created(0, r"\acme-1").of(r"C:\Program Files\A\a.exe", 30)];
    assert_eq!(suppressed(&indicator_match::ANALYTIC, &events, tuning.clone()), [""]);
    tuning.allow = vec![rule("known", "*acme-1", None)];
    assert_eq!(suppressed(&indicator_match::ANALYTIC, &events, tuning), ["known"]);
}
