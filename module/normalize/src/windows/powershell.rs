//! PowerShell: script blocks (4104), commands with their parameters (4103), pipelines and engine starts of the
//! classic log (800, 400).

use backchannel_events::{Activity, Outcome, Process, Script, User};

use super::view::View;
use super::{Content, text};

/// Event ids that are used.
pub const fn wants(event_id: u32) -> bool {
    matches!(event_id, 4103 | 4104)
}

/// Event ids of the classic log that are used.
pub const fn wants_classic(event_id: u32) -> bool {
    matches!(event_id, 400 | 800)
}

/// Converts a record of the operational log.
pub fn read<'a>(view: &View<'a>) -> Option<Content<'a>> {
    let mut process = Process {
        // The engine logs from inside its own process and under its user's token.
        pid: view.small("ExecutionProcessID"),
        user: view.header_user(),
        ..Process::default()
    };
    let script = match view.event_id() {
        4104 => {
            let account = view.text("AccountName");
            process.user = User { name: account, domain: view.text("Domain"), ..process.user };
            Script {
                text: view.raw("ScriptBlockText").unwrap_or(""),
                path: view.text("Path"),
                block: view.text("ScriptBlockId"),
                engine: "powershell",
            }
        }
        4103 => {
            let context = view.raw("ContextInfo").unwrap_or("");
            let named = text::account(text::line_value(context, "User"));
            process.user = User { id: process.user.id, ..named };
            process.command_line = text::line_value(context, "Host Application");
            Script {
                text: view.raw("Payload").unwrap_or(""),
                path: text::line_value(context, "Script Name"),
                block: "",
                engine: "powershell",
            }
        }
        _ => return None,
    };
    Some(Content { process, activity: Activity::Script(script), outcome: Outcome::Success })
}

/// Converts a record of the classic log.
pub fn classic<'a>(view: &View<'a>) -> Option<Content<'a>> {
    // 800: the command line, its context, its details. 400: new state, old state, context. Collectors that keep no
    // inserts have all of it in the message.
    let message = view.text("Message");
    let (text_part, context) = match (view.event_id(), view.param(2)) {
        (800, "") => {
            let head = message.split("Context Information:").next().unwrap_or(message);
            // The sentence before the command is translated; its colon is not.
            (head.split_once(':').map_or(head, |(_, command)| command).trim_ascii(), message)
        }
        (800, context) => (view.param(1), context),
        (400, _) => ("", if view.param(3).is_empty() { message } else { view.param(3) }),
        _ => return None,
    };
    let process = Process {
        user: text::account(text::line_value(context, "UserId")),
        command_line: text::line_value(context, "HostApplication"),
        ..Process::default()
    };
    let script =
        Script { text: text_part, path: text::line_value(context, "ScriptName"), block: "", engine: "powershell" };
    Some(Content { process, activity: Activity::Script(script), outcome: Outcome::Success })
}
