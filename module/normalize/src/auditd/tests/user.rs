//! Tests of records of user space.

use backchannel_events::{Activity, LogonOutcome, Mechanism, Outcome, PrivilegeChangeKind, TelemetryState};

use super::*;

const SENDER: &str = "pid=90 uid=0 auid=1500 ses=8";

#[test]
fn a_login_is_a_logon_with_its_source() {
    let body = format!(
        "{SENDER} msg='op=login id=1500 exe=\"/usr/sbin/sshd\" hostname=192.0.2.8 addr=192.0.2.8 terminal=/dev/pts/0 res=success'\u{1d}UID=\"root\" AUID=\"kim\" ID=\"kim\""
    );
    one(&[("USER_LOGIN", &body)], |event| {
        let Activity::Logon(logon) = event.activity else { panic!() };
        assert_eq!((logon.outcome, logon.id, logon.kind), (LogonOutcome::Start, Some(8), 10));
        assert_eq!((logon.user.id, logon.user.name, logon.source.address), ("1500", "kim", "192.0.2.8"));
        assert_eq!((logon.package, event.provenance.provider), ("sshd", "USER_LOGIN"));
        assert_eq!((event.process.pid, event.process.image), (Some(90), "/usr/sbin/sshd"));
    });
}

#[test]
fn a_session_begins_and_ends_and_a_failed_authentication_is_a_failure() {
    let pam = |op: &str, res: &str| {
        format!(
            "{SENDER} msg='op=PAM:{op} grantors=pam_unix acct=\"kim\" exe=\"/usr/bin/su\" hostname=? addr=? terminal=pts/1 res={res}'"
        )
    };
    for (kind, res, want) in [
        ("USER_START", "success", Some(LogonOutcome::Start)),
        ("USER_END", "success", Some(LogonOutcome::End)),
        ("USER_AUTH", "failed", Some(LogonOutcome::Failure)),
        ("USER_AUTH", "success", None),
        ("CRED_ACQ", "success", None),
    ] {
        let mut seen = None;
        run(&lines(1, &[(kind, &pam("x", res))]), |event| {
            let Activity::Logon(logon) = event.activity else { panic!() };
            assert_eq!((logon.user.name, logon.source.address, logon.package), ("kim", "", "su"));
            seen = Some(logon.outcome);
        });
        assert_eq!(seen, want, "{kind} {res}");
    }
}

#[test]
fn a_command_of_sudo_is_decoded_text() {
    let body = format!(
        "{SENDER} msg='cwd=\"/home/kim\" cmd={} exe=\"/usr/bin/sudo\" terminal=pts/2 res=success'",
        hex(b"chmod 666 /run/x")
    );
    one(&[("USER_CMD", &body)], |event| {
        let Activity::Text(text) = event.activity else { panic!() };
        assert_eq!((text.program, text.message), ("sudo", "chmod 666 /run/x"));
        assert_eq!(event.process.working_directory, "/home/kim");
    });
}

#[test]
fn a_group_member_is_a_change_of_privileges() {
    let body = format!(
        "{SENDER} msg='op=adding user to group acct=\"kim\" exe=\"/usr/sbin/usermod\" hostname=? addr=? terminal=? res=success'"
    );
    one(&[("USER_CHAUTHTOK", &body)], |event| {
        let Activity::PrivilegeChange(change) = event.activity else { panic!() };
        assert_eq!((change.kind, change.principal.name), (PrivilegeChangeKind::GroupMemberAdded, "kim"));
        assert_eq!(change.details, "adding user to group");
    });
    let body =
        format!("{SENDER} msg='op=add-user-to-group grp=\"docker\" acct=\"kim\" exe=\"/usr/bin/gpasswd\" res=success'");
    one(&[("USER_MGMT", &body)], |event| {
        let Activity::PrivilegeChange(change) = event.activity else { panic!() };
        assert_eq!((change.kind, change.object), (PrivilegeChangeKind::GroupMemberAdded, "docker"));
    });
    let body = format!("{SENDER} msg='op=add-user id=1501 exe=\"/usr/sbin/useradd\" res=success'");
    one(&[("ADD_USER", &body)], |event| {
        let Activity::PrivilegeChange(change) = event.activity else { panic!() };
        assert_eq!((change.kind, change.principal.id), (PrivilegeChangeKind::AccountCreated, "1501"));
    });
}

#[test]
fn services_software_and_telemetry_change() {
    let unit = format!("{SENDER} msg='unit=cups comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" res=success'");
    one(&[("SERVICE_STOP", &unit)], |event| {
        assert!(
            matches!(event.activity, Activity::ServiceChange(change) if change.name == "cups" && change.state == "stopped")
        );
    });
    let package =
        format!("{SENDER} msg='op=remove sw=\"nmap-7\" sw_type=rpm comm=\"dnf\" exe=\"/usr/bin/python3\" res=success'");
    one(&[("SOFTWARE_UPDATE", &package)], |event| {
        assert!(
            matches!(event.activity, Activity::SoftwareChange(change) if change.name == "nmap-7" && change.removed)
        );
    });
    for (kind, body, want) in [
        ("CONFIG_CHANGE", "op=set audit_enabled=0 old=1 auid=0 ses=8 res=1", TelemetryState::Stopped),
        ("CONFIG_CHANGE", "op=remove_rule key=\"k\" list=4 res=1", TelemetryState::Changed),
        ("DAEMON_START", "op=start ver=3 pid=5 uid=0 res=success", TelemetryState::Started),
    ] {
        one(&[(kind, body)], |event| {
            assert!(matches!(event.activity, Activity::Telemetry(change) if change.state == want), "{event:?}");
        });
    }
}

#[test]
fn a_bus_message_denied_by_policy_is_a_denied_call() {
    let body = "pid=1 uid=81 auid=4294967295 ses=4294967295 subj=x msg='avc:  denied  { send_msg } for msgtype=method_call \
                interface=org.example.Priv member=Run dest=org.example spid=321 tpid=5 tclass=dbus permissive=0 \
                exe=\"/usr/bin/dbus-daemon\" sauid=81 hostname=? addr=? terminal=?'";
    one(&[("USER_AVC", body)], |event| {
        let Activity::RpcCall(call) = event.activity else { panic!() };
        assert_eq!(
            (call.channel.mechanism, call.interface, call.operation),
            (Mechanism::Dbus, "org.example.Priv", "Run")
        );
        assert_eq!((event.outcome, event.process.pid), (Outcome::Denied, Some(321)));
    });
    let body = "pid=1 uid=0 msg='avc:  denied  { start } for path=\"/x\" tclass=service permissive=0'";
    none(&[("USER_AVC", body)]);
}
