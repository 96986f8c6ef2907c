//! Who wrote a COM registration for another machine: the remote registry service, on behalf of a visitor.

use std::time::Duration;

use backchannel_events::{ProcessEvent, RegistryChange, RegistryOperation};

use super::Context;
use crate::memory::Use;
use crate::text::{contains, contains_any};

/// A visit to the remote registry explains what is written so long after it.
const VISIT: Duration = Duration::from_secs(1_800);

/// Whether the change says where a COM class, its library or its application is found.
pub fn is_com_place(path: &str) -> bool {
    contains_any(path, &[r"\CLSID\{", r"\TypeLib\{", r"\AppID\{"])
}

/// Whether it may be worth asking who made the change.
pub fn may_be_from_afar(change: &RegistryChange<'_>) -> bool {
    change.operation == RegistryOperation::SetValue && is_com_place(change.path)
}

/// On behalf of whom the change at hand was made from afar: the address of the other machine, empty if unknown.
/// `None` if nothing says that it was.
pub fn writer<'c>(context: &Context<'c>, event: &ProcessEvent<'_>, change: &RegistryChange<'_>) -> Option<&'c str> {
    if !may_be_from_afar(change) {
        return None;
    }
    let service = context.subject();
    if !service.is(&["svchost.exe"]) {
        return None;
    }
    let visit = visit(context, event);
    if contains(service.command_line, "RemoteRegistry") || visit.is_some() {
        return Some(visit.map_or("", |visit| &*visit.peer));
    }
    None
}

/// The latest visit of another machine to the remote registry before the event.
pub fn visit<'c>(context: &Context<'c>, event: &ProcessEvent<'_>) -> Option<&'c Use> {
    let channel = context.channel(r"\winreg")?;
    channel.opened.iter().rev().find(|visit| visit.remote && visit.note.time.within(VISIT, event.time))
}
