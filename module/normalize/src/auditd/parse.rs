//! The lines of one event to an [`AuditEvent`].

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::event::{AuditEvent, IpcRecord, ObjectRecord, PathRecord, SyscallRecord};
use super::fields::{Field, arguments, fields, lossy, text, unhex};
use super::lines::Line;

/// Whether a line of this type is part of an event and needed when the event is complete.
pub(crate) fn is_part(kind: &str) -> bool {
    matches!(kind, "SYSCALL" | "EXECVE" | "CWD" | "PATH" | "SOCKADDR" | "PROCTITLE" | "OBJ_PID" | "IPC" | "EOE")
}

/// Fills an event from its lines, in the order in which they were read.
pub(crate) fn fill<'a>(event: &mut AuditEvent<'a>, lines: impl Iterator<Item = Line<'a>>, arena: &'a Bump) {
    // Index of the argument and its bytes so far: a long argument is split over several records.
    let mut parts: BumpVec<'a, (u32, BumpVec<'a, u8>)> = BumpVec::new_in(arena);
    for line in lines {
        match line.kind {
            "SYSCALL" => {
                let record = event.syscall.get_or_insert_with(SyscallRecord::default);
                for field in fields(line.body).chain(fields(line.tail)) {
                    let value = match field.name {
                        "comm" | "exe" => text(field, arena),
                        _ => field.value,
                    };
                    record.set(field.name, value);
                }
            }
            "PATH" => {
                let mut record = PathRecord::default();
                for field in fields(line.body) {
                    record.set(field.name, if field.name == "name" { text(field, arena) } else { field.value });
                }
                event.paths.push(record);
            }
            "CWD" => {
                for field in fields(line.body).filter(|field| field.name == "cwd") {
                    event.directory = text(field, arena);
                }
            }
            "SOCKADDR" => {
                for field in fields(line.body).filter(|field| field.name == "saddr") {
                    event.address = unhex(field.value, arena);
                }
            }
            "PROCTITLE" => {
                for field in fields(line.body).filter(|field| field.name == "proctitle") {
                    event.title = title(field, arena);
                }
            }
            "EXECVE" => {
                for field in fields(line.body) {
                    argument(&mut parts, field, arena);
                }
            }
            // A signal to a group has many; any of them is sufficient, and ptrace has one.
            "OBJ_PID" if event.object.is_none() => {
                let mut record = ObjectRecord::default();
                for field in fields(line.body).chain(fields(line.tail)) {
                    record.set(field.name, if field.name == "ocomm" { text(field, arena) } else { field.value });
                }
                event.object = Some(record);
            }
            "IPC" => {
                let mut record = IpcRecord::default();
                for field in fields(line.body) {
                    record.set(field.name, field.value);
                }
                event.ipc = Some(record);
            }
            _ => {}
        }
    }
    parts.sort_by_key(|(index, _)| *index);
    let mut all = BumpVec::with_capacity_in(parts.len(), arena);
    all.extend(parts.into_iter().map(|(_, bytes)| lossy(bytes.into_bump_slice(), arena)));
    event.arguments = all.into_bump_slice();
}

/// Parses `a1=..` or a part of it, `a1[0]=..`. Parts are joined as bytes, because a character may be split.
fn argument<'a>(parts: &mut BumpVec<'a, (u32, BumpVec<'a, u8>)>, field: Field<'a>, arena: &'a Bump) {
    let Some(rest) = field.name.strip_prefix('a') else { return };
    let index = rest.split('[').next().unwrap_or_default();
    let Ok(index) = index.parse::<u32>() else { return };
    let bytes = match field.quote {
        ' ' => unhex(field.value, arena).unwrap_or(field.value.as_bytes()),
        _ => field.value.as_bytes(),
    };
    match parts.last_mut().filter(|(last, _)| *last == index) {
        Some((_, so_far)) => so_far.extend_from_slice_copy(bytes),
        None => {
            let mut so_far = BumpVec::with_capacity_in(bytes.len(), arena);
            so_far.extend_from_slice_copy(bytes);
            parts.push((index, so_far));
        }
    }
}

/// The arguments in a process title.
fn title<'a>(field: Field<'a>, arena: &'a Bump) -> &'a [&'a str] {
    match field.quote {
        ' ' => match unhex(field.value, arena) {
            Some(bytes) => arguments(bytes, arena),
            None => &[],
        },
        _ => core::slice::from_ref(arena.alloc(field.value)),
    }
}
