//! WMI-Activity: providers started (5857), operations that failed (5858), event subscriptions (5859 to 5861).

use backchannel_events::{Activity, Channel, Endpoint, Mechanism, Outcome, Process, RpcCall};

use super::view::View;
use super::{Content, text};

/// Event ids that are used.
pub const fn wants(event_id: u32) -> bool {
    matches!(event_id, 5857..=5861)
}

/// Converts a WMI-Activity record.
pub fn read<'a>(view: &View<'a>) -> Option<Content<'a>> {
    let mut process = Process { user: view.header_user(), ..Process::default() };
    let mut channel = Channel { mechanism: Mechanism::Wmi, ..Channel::default() };
    let mut outcome = Outcome::Success;
    let mut call = RpcCall::default();
    match view.event_id() {
        5857 => {
            call.operation = "ProviderStarted";
            call.object = view.text("ProviderName");
            channel.name = value(view, &["ProviderPath"], "ProviderPath = ");
            process.image = value(view, &["HostProcess"], "HostProcess = ");
            process.pid = id(value(view, &["ProcessID"], "ProcessID = "));
            if !matches!(view.text("Code"), "" | "0x0" | "0") {
                outcome = Outcome::Failure;
            }
        }
        5858 => {
            outcome = Outcome::Failure;
            caller(view, &mut process, &mut channel);
            // `Start IWbemServices::ExecQuery - ROOT\CIMV2 : select ..`, or a sentence without that shape.
            let text = value(view, &["Operation"], "Operation = ");
            let bare = text.strip_prefix("Start ").unwrap_or(text);
            match bare.split_once("::") {
                Some((interface, rest)) if !interface.contains(' ') => {
                    call.interface = interface;
                    (call.operation, call.object) = rest.split_once(" - ").unwrap_or((rest, ""));
                }
                _ => call.operation = text,
            }
        }
        5859 | 5860 => {
            caller(view, &mut process, &mut channel);
            call.operation = if view.event_id() == 5860 { "TemporarySubscription" } else { "PermanentSubscription" };
            call.object = value(view, &["NamespaceName", "Namespace"], "Namespace = ");
            channel.name = value(view, &["Query"], "NotificationQuery = ");
        }
        5861 => {
            call.operation = "PermanentSubscription";
            call.object = value(view, &["Namespace", "NamespaceName"], "Namespace = ");
            call.interface = value(view, &["ESS"], "Eventfilter = ");
            channel.name = value(view, &["CONSUMER", "Consumer"], "Consumer = ");
        }
        _ => return None,
    }
    call.client = Endpoint { name: channel.peer, ..Endpoint::default() };
    call.channel = channel;
    Some(Content { process, activity: Activity::RpcCall(call), outcome })
}

fn caller<'a>(view: &View<'a>, process: &mut Process<'a>, channel: &mut Channel<'a>) {
    let user = value(view, &["User", "UserName"], "User = ");
    let user = if user.is_empty() { value(view, &[], "UserName = ") } else { user };
    if user.starts_with("S-1-") {
        process.user.id = user;
    } else if !user.is_empty() {
        // The header has the account of WMI itself, the data that of the client.
        process.user = text::account(user);
    }
    let machine = value(view, &["ClientMachine", "MachineName"], "ClientMachine = ");
    channel.peer = machine;
    channel.remote = !machine.is_empty() && !view.host.is_empty() && !text::same_host(machine, view.host);
    // The id of a process on another machine does not identify a process of this host.
    if !channel.remote {
        let pid = value(view, &["ClientProcessId", "Processid", "ProcessId", "processid"], "ClientProcessId = ");
        process.pid = id(if pid.is_empty() { value(view, &[], "ClientProcessID = ") } else { pid });
    }
}

fn id(value: &str) -> Option<u32> {
    text::number(value).and_then(|value| u32::try_from(value).ok())
}

/// The first of the named fields that has a value, else the text after `marker` in the message: collectors that do not
/// read UserData have only the message.
fn value<'a>(view: &View<'a>, names: &[&str], marker: &str) -> &'a str {
    names.iter().map(|name| view.text(name)).find(|value| !value.is_empty()).unwrap_or_else(|| {
        let rest = text::between(view.text("Message"), marker, "; ").unwrap_or("");
        // One of the messages separates two of its values by a comma.
        rest.split(", ClientMachine = ").next().unwrap_or(rest).trim_ascii()
    })
}
