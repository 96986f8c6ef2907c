//! The Security log: logons, and changes of rights and accounts.

use backchannel_events::{
    Activity, Endpoint, Logon, LogonOutcome, Outcome, PrivilegeChange, PrivilegeChangeKind, User,
};

use super::view::View;
use super::{Content, text};

/// Event ids that are used.
pub const fn wants(event_id: u32) -> bool {
    matches!(event_id, 4624 | 4625 | 4634 | 4647 | 4648 | 4672 | 4703 | 4704 | 4720 | 4728 | 4732)
}

/// Converts a record about an account.
pub fn read<'a>(view: &View<'a>) -> Option<Content<'a>> {
    let process = view.security_process();
    let mut outcome = Outcome::Success;
    let activity = match view.event_id() {
        4624 => Activity::Logon(Logon { elevated: elevated(view), ..logon(view, LogonOutcome::Start) }),
        4625 => {
            outcome = Outcome::Failure;
            Activity::Logon(Logon { id: None, ..logon(view, LogonOutcome::Failure) })
        }
        4634 | 4647 => Activity::Logon(logon(view, LogonOutcome::End)),
        // The requested service principal name is in the place of a package; these records have none.
        4648 => Activity::Logon(Logon {
            id: None,
            target: view.either("TargetServerName", "TargetInfo"),
            package: Some(view.text("TargetInfo")).filter(|info| info.contains('/')).unwrap_or(""),
            ..logon(view, LogonOutcome::ExplicitCredentials)
        }),
        4672 => Activity::Logon(Logon {
            outcome: LogonOutcome::SpecialPrivileges,
            id: view.number("SubjectLogonId"),
            user: view.subject(),
            ..Logon::default()
        }),
        4703 => Activity::PrivilegeChange(PrivilegeChange {
            kind: PrivilegeChangeKind::TokenAdjusted,
            principal: view.target(),
            object: "",
            details: view.text("EnabledPrivilegeList"),
        }),
        4704 => Activity::PrivilegeChange(PrivilegeChange {
            kind: PrivilegeChangeKind::RightAssigned,
            principal: User { id: text::sid(view.text("TargetSid")), ..User::default() },
            object: view.text("PrivilegeList"),
            details: view.text("PrivilegeList"),
        }),
        4720 => Activity::PrivilegeChange(PrivilegeChange {
            kind: PrivilegeChangeKind::AccountCreated,
            principal: view.target(),
            object: "",
            details: "",
        }),
        // The group's name is translated on localised systems; its SID is not.
        4728 | 4732 => Activity::PrivilegeChange(PrivilegeChange {
            kind: PrivilegeChangeKind::GroupMemberAdded,
            principal: User { id: text::sid(view.text("MemberSid")), name: view.text("MemberName"), ..User::default() },
            object: view.text("TargetUserName"),
            details: view.text("TargetSid"),
        }),
        _ => return None,
    };
    Some(Content { process, activity, outcome })
}

fn logon<'a>(view: &View<'a>, outcome: LogonOutcome) -> Logon<'a> {
    Logon {
        outcome,
        id: view.number("TargetLogonId"),
        kind: view.small("LogonType").unwrap_or(0),
        user: view.target(),
        source: Endpoint {
            address: text::address(view.text("IpAddress")),
            port: view.port("IpPort"),
            name: view.text("WorkstationName").trim_start_matches('\\'),
        },
        package: view.text("AuthenticationPackageName"),
        elevated: None,
        target: "",
    }
}

fn elevated(view: &View<'_>) -> Option<bool> {
    match view.text("ElevatedToken") {
        "%%1842" | "Yes" => Some(true),
        "%%1843" | "No" => Some(false),
        _ => None,
    }
}
