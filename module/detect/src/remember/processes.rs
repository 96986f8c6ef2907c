//! Processes and logons: starts, accesses of one process to another, notable modules.

use backchannel_events::{Access, Logon, Module};

use super::Entry;
use crate::context::activation;
use crate::memory::KnownProcess;
use crate::memory::injections::{How, Injection};
use crate::predicates;
use crate::vocabulary::modules;

impl Entry<'_> {
    pub(super) fn process_start(&mut self) {
        let activation = activation::of_start(&self.context());
        let (_, forgotten) = self.host.processes.started(self.event, activation, self.names);
        self.evicted.processes += forgotten;
    }

    pub(super) fn process_access(&mut self, access: &Access<'_>) {
        let source = self.who().process;
        let (target, forgotten) = self.host.processes.mentioned(&access.target, self.event, self.names);
        self.evicted.processes += forgotten;
        if let (Some(how), Some(target)) = (How::of(access), target) {
            let source = source.filter(|source| *source != target);
            let note = self.note();
            self.evicted.other += self.host.injections.push(Injection { source, target, how, note });
        }
    }

    pub(super) fn module_load(&mut self, module: &Module<'_>) {
        if modules::is_notable(module.path) {
            let who = self.who();
            let note = self.note();
            if let Some(id) = who.process {
                self.host.processes.loaded(id, module.path, &note, self.names);
            }
        }
    }

    pub(super) fn logon(&mut self, logon: &Logon<'_>) {
        self.evicted.logons += self.host.logons.remember(logon, self.event, self.names);
        if let Some(id) = logon.id {
            let is_service = |known: &KnownProcess| predicates::is_service_principal(known.user());
            self.host.prove_activations(id, is_service, self.names);
        }
    }
}
