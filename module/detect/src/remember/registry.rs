//! Changes of the registry: COM registrations, on this machine and for another one.

use backchannel_events::{RegistryChange, RegistryOperation};

use super::Entry;
use crate::context::{Context, com_registry, far};
use crate::memory::recent::Registration;
use crate::memory::remote_registration::RemoteRegistration;
use crate::{predicates, text};

impl Entry<'_> {
    pub(super) fn registry(&mut self, change: &RegistryChange<'_>) {
        if far::may_be_from_afar(change)
            && let Some(peer) = far::writer(&Context::new(self.host, self.tuning, None, self.event), self.event, change)
        {
            let peer = self.names.name(peer);
            let far = RemoteRegistration {
                path: self.names.name(change.path),
                server: self.names.lower(change.data),
                peer,
                note: self.note(),
            };
            self.evicted.other += self.host.far_registrations.push(far);
        }
        if com_registry::concerns(change.path)
            && let Some(addition) = com_registry::addition(&self.context(), self.event)
        {
            let who = self.who();
            let note = self.note();
            self.evicted.other += self.host.com.remember(addition, who, note, self.names);
        }
        if change.operation == RegistryOperation::SetValue
            && let Some((clsid, key)) = predicates::com_registration(change.path)
        {
            let registration = Registration {
                clsid: self.names.name(&clsid.to_ascii_uppercase()),
                key: self.names.name(key),
                per_user: text::starts_with(change.path, "HKU\\"),
                server: self.names.lower(change.data),
                who: self.who(),
                note: self.note(),
            };
            self.evicted.other += self.host.registrations.push(registration);
        }
    }
}
