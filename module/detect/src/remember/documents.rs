//! Documents that can contain links, and indications of Dynamic Data Exchange.

use backchannel_events::{Activity, FileOperation, ProcessEvent, RegistryOperation};

use super::Entry;
use crate::context::wording::Wording;
use crate::vocabulary::dde;

impl Entry<'_> {
    pub(super) fn documents(&mut self, wording: Option<&Wording<'_>>) {
        if let Some(what) = trace(self.event, wording) {
            let note = self.note();
            self.evicted.other += self.host.documents.remember_trace(what, note, self.names);
        }
        if let Some(path) = arrived(self.event) {
            let who = self.who();
            let note = self.note();
            self.evicted.other += self.host.documents.remember_arrival(path, who, note, self.names);
        }
    }
}

/// The indication of DDE in an event, if any.
fn trace(event: &ProcessEvent<'_>, wording: Option<&Wording<'_>>) -> Option<&'static str> {
    match &event.activity {
        Activity::ProcessStart | Activity::Script(_) | Activity::Text(_) => wording?.dde_instruction(),
        Activity::Registry(change) if change.operation == RegistryOperation::SetValue => {
            dde::exposure(change.path, change.data).map(|exposure| exposure.meaning)
        }
        _ => None,
    }
}

/// The path of a newly written file that can contain links; its mark of the web (`:Zone.Identifier`) counts as the file
/// itself.
fn arrived<'a>(event: &ProcessEvent<'a>) -> Option<&'a str> {
    let Activity::File(file) = &event.activity else { return None };
    if !matches!(file.operation, FileOperation::Create | FileOperation::Write | FileOperation::Rename) {
        return None;
    }
    let path = match file.path.rfind(':') {
        Some(at) if at > 2 => file.path.get(..at)?,
        _ => file.path,
    };
    dde::carries_links(path).then_some(path)
}
