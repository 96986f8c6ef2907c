//! The service control manager, the event log service and the Windows installer.

use backchannel_events::{
    Activity, Outcome, Process, ServiceChange, ServiceOperation, SoftwareChange, Telemetry, TelemetryState,
};

use super::Content;
use super::view::View;

/// Services: 7045 installed, 7036 changed its state.
pub fn service<'a>(view: &View<'a>) -> Option<Content<'a>> {
    let (user, change) = match view.event_id() {
        7045 => (
            // The installing account is in the header; the data has only the account of the service.
            view.header_user(),
            ServiceChange {
                operation: ServiceOperation::Installed,
                name: view.either("ServiceName", "param1"),
                command_line: view.either("ImagePath", "param2"),
                account: view.either("AccountName", "param5"),
                state: "",
            },
        ),
        7036 => (
            Default::default(),
            ServiceChange {
                operation: ServiceOperation::StateChanged,
                name: view.param(1),
                state: view.param(2),
                ..ServiceChange::default()
            },
        ),
        _ => return None,
    };
    Some(Content {
        process: Process { user, ..Process::default() },
        activity: Activity::ServiceChange(change),
        outcome: Outcome::Success,
    })
}

/// Logs: 1102 the Security log was cleared, 104 another one.
pub fn log<'a>(view: &View<'a>) -> Option<Content<'a>> {
    if !matches!(view.event_id(), 1102 | 104) {
        return None;
    }
    let details = if view.event_id() == 1102 { "Security" } else { view.text("Channel") };
    Some(Content {
        process: view.security_process(),
        activity: Activity::Telemetry(Telemetry { state: TelemetryState::Cleared, details }),
        outcome: Outcome::Success,
    })
}

/// Software: 1033 and 11707 installed, 1034 and 11724 removed.
pub fn installer<'a>(view: &View<'a>) -> Option<Content<'a>> {
    let mut outcome = Outcome::Success;
    let change = match view.event_id() {
        // Name, version, language, status, publisher.
        1033 | 1034 => {
            if !matches!(view.param(4), "" | "0") {
                outcome = Outcome::Failure;
            }
            SoftwareChange {
                name: view.param(1),
                version: view.param(2),
                publisher: view.param(5),
                removed: view.event_id() == 1034,
            }
        }
        // `Product: <name> -- <sentence>`, both translated but for the dashes.
        11707 | 11724 => {
            let message = match view.param(1) {
                "" => view.text("Message"),
                message => message,
            };
            let head = message.split(" -- ").next().unwrap_or(message);
            let name = head.split_once(": ").map_or(head, |(_, name)| name).trim_ascii();
            SoftwareChange { name, removed: view.event_id() == 11724, ..SoftwareChange::default() }
        }
        _ => return None,
    };
    Some(Content {
        process: Process { user: view.header_user(), ..Process::default() },
        activity: Activity::SoftwareChange(change),
        outcome,
    })
}
