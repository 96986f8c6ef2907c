//! Files of interest, services and tasks, and changes of permissions.

use backchannel_events::{
    FileChange, FileKind, FileOperation, PrivilegeChange, PrivilegeChangeKind, ServiceChange, ServiceOperation,
};

use super::Entry;
use crate::actor::account;
use crate::context::socket_owner;
use crate::memory::recent::{ChangeKind, FileWritten, Service};
use crate::predicates;

impl Entry<'_> {
    pub(super) fn file(&mut self, file: &FileChange<'_>) {
        // The table of channels is searched for sockets only.
        let widened = file.kind == FileKind::Socket && socket_owner::opens_anothers(&self.context(), self.event, file);
        if widened {
            self.change(ChangeKind::Permission, file.path, "everybody");
        }
        let written = matches!(file.operation, FileOperation::Create | FileOperation::Write | FileOperation::Rename);
        if written && predicates::is_loadable(file.path) {
            let file = FileWritten {
                path: self.names.lower(file.path),
                who: self.who(),
                peer: self.names.name(file.peer),
                note: self.note(),
            };
            self.evicted.other += self.host.files.push(file);
        }
    }

    pub(super) fn service_change(&mut self, service: &ServiceChange<'_>) {
        match service.operation {
            ServiceOperation::Installed => {
                let service = Service {
                    name: self.names.name(service.name),
                    command_line: self.names.name(service.command_line),
                    who: self.who(),
                    note: self.note(),
                };
                self.evicted.other += self.host.services.push(service);
            }
            ServiceOperation::TaskCreated => self.change(ChangeKind::Task, service.name, service.command_line),
            ServiceOperation::StateChanged | ServiceOperation::Removed => {}
        }
    }

    pub(super) fn privilege_change(&mut self, change: &PrivilegeChange<'_>) {
        let kind = match change.kind {
            PrivilegeChangeKind::TokenAdjusted => return,
            PrivilegeChangeKind::RightAssigned => ChangeKind::Right,
            PrivilegeChangeKind::AccountCreated => ChangeKind::Account,
            PrivilegeChangeKind::GroupMemberAdded => ChangeKind::Group,
            PrivilegeChangeKind::PermissionWidened => ChangeKind::Permission,
        };
        self.change(kind, change.object, &account(change.principal));
    }
}
