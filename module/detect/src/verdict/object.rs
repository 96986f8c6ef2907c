//! What a watched event is about, where containment has to name it: a process, a file, a registry value, a service,
//! the other end of a connection.

use backchannel_events::{
    Activity, FileOperation, Object, Party, Process, ProcessEvent, RegistryOperation, ServiceOperation,
};

use crate::memory::KnownProcess;
use crate::text::base_name;

/// What the event is about.
pub fn of_event(event: &ProcessEvent<'_>) -> Object {
    match &event.activity {
        Activity::ProcessStart => Object::Process { party: of_record(&event.process), ended: None },
        Activity::ProcessEnd => Object::Process { party: of_record(&event.process), ended: Some(event.time) },
        Activity::File(file) if matches!(file.operation, FileOperation::Create | FileOperation::Write) => {
            Object::File(file.path.to_owned())
        }
        Activity::File(file) if matches!(file.operation, FileOperation::ChangeMode | FileOperation::ChangeOwner) => {
            Object::Mode(file.path.to_owned())
        }
        Activity::ModuleLoad(module) => Object::File(module.path.to_owned()),
        Activity::Registry(change) if change.operation == RegistryOperation::SetValue => {
            Object::RegistryValue(change.path.to_owned())
        }
        Activity::ServiceChange(service) => match service.operation {
            ServiceOperation::Installed => {
                Object::Service { name: service.name.to_owned(), command_line: service.command_line.to_owned() }
            }
            ServiceOperation::TaskCreated => Object::Task(service.name.to_owned()),
            ServiceOperation::StateChanged | ServiceOperation::Removed => Object::None,
        },
        Activity::NetworkFlow(flow) if flow.outbound => Object::OtherEnd(flow.remote.address.to_owned()),
        Activity::Dns(dns) => Object::OtherEnd(dns.query.to_owned()),
        _ => Object::None,
    }
}

/// A process that is remembered.
pub fn of_known(known: &KnownProcess) -> Object {
    Object::Process {
        party: Party {
            name: known.name().to_owned(),
            path: known.image.to_string(),
            pid: known.pid,
            entity: known.entity.to_string(),
            command_line: known.command_line.to_string(),
            ..Party::default()
        },
        ended: known.end,
    }
}

fn of_record(process: &Process<'_>) -> Party {
    Party {
        name: base_name(process.image).to_owned(),
        path: process.image.to_owned(),
        pid: process.pid,
        entity: process.entity.to_owned(),
        command_line: process.command_line.to_owned(),
        ..Party::default()
    }
}
