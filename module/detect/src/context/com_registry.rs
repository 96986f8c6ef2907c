//! What a change of the registry says about COM: what an event adds to the memory of COM, and which class was looked
//! up.

use backchannel_events::{Activity, ProcessEvent, RegistryOperation};

use super::com_server::{self, Value};
use super::{Context, com_handlers};
use crate::memory::com_registry::Addition;
use crate::text::{self, contains, ends_with, starts_with};
use crate::vocabulary::com;

/// Whether a path can concern this memory: asked before anything else is looked at.
pub fn concerns(path: &str) -> bool {
    let mut parts = path.split('\\').peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let Some(next) = parts.peek() else { return !first && starts_with(part, "App") };
        if ends_with(part, "Classes") || ends_with(part, "Environment") {
            return true;
        }
        if !first && (starts_with(part, "App") || (part.eq_ignore_ascii_case("CLSID") && next.starts_with('{'))) {
            return true;
        }
        first = false;
    }
    false
}

/// What the event adds to the memory of COM.
pub fn addition(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Addition> {
    let Activity::Registry(change) = &event.activity else { return None };
    match change.operation {
        RegistryOperation::SetValue => {
            if let Some((class, command)) = com_handlers::bent(change.path, change.data) {
                return Some(Addition::Handler(class.to_ascii_lowercase(), command.to_owned()));
            }
            let value = Value::at(change.path)?;
            if let Some((value, server)) = com_server::suspicious(context, change) {
                return Some(Addition::Suspicious(value.clsid.to_ascii_uppercase(), server, value.per_user));
            }
            let for_all = contains(change.path, r"\SOFTWARE\Classes\") && !value.per_user;
            (for_all && value.is_server() && value.name.is_empty())
                .then(|| Addition::Machine(value.clsid.to_ascii_uppercase(), com_server::path_of(change.data)))
        }
        RegistryOperation::Open => {
            let clsid = opened_class(change.path)?;
            Some(Addition::LookedUp(clsid.to_ascii_uppercase()))
        }
        _ => None,
    }
}

/// The class usable for remote execution whose key (or application key) was opened.
pub fn opened_class(path: &str) -> Option<&str> {
    let at = text::find(path, r"\CLSID\{").or_else(|| text::find(path, r"\AppID\{"))?;
    let clsid = text::guid(path.get(at..)?)?;
    com::lateral_class(clsid).map(|_| clsid)
}
