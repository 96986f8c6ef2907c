//! Audit events joined by laurel. The fields are parsed by `backchannel-normalize`.

use backchannel_normalize::Record;

use super::{About, Carrier, Example, Outcome, Shape, Spec};
use crate::json::Members;
use crate::json::scan::Kind;

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "laurel",
        title: "laurel",
        description: "Linux audit events as joined by laurel, one JSON object per event.",
        recognised: "`ID` is the event's `time:serial`, and at least one member is named after a record type (`SYSCALL`, `EXECVE`).",
        examples: &[Example {
            shape: "laurel",
            record: r#"{"ID":"1700000000.123:456","NODE":"app07","SYSCALL":{"arch":"0xc000003e","syscall":59,"success":"yes","exit":0,"ppid":1,"pid":77,"auid":1000,"uid":33,"comm":"sh","exe":"/usr/bin/dash"},"EXECVE":{"argc":3,"ARGV":["sh","-c","id"]},"CWD":{"cwd":"/tmp"}}"#,
        }],
    },
    carrier: Carrier::Json(&[Shape {
        keys: &[&["ID"]],
        is: is_laurel,
        read: |object| Ok(is_laurel(object.members).then_some(Outcome::Record(Record::Laurel(object.text)))),
    }]),
};

/// `ID` is the event's `time:serial`, and one member is named after a record type.
fn is_laurel(members: &Members<'_>) -> bool {
    members.top("ID").is_some_and(|id| {
        id.kind == Kind::String
            && id.text.split_once(':').is_some_and(|(time, serial)| {
                time.bytes().all(|b| b.is_ascii_digit() || b == b'.') && serial.bytes().all(|b| b.is_ascii_digit())
            })
    }) && members.all.iter().any(|member| {
        matches!(member.value.kind, Kind::Object | Kind::Array)
            && member.key.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    })
}
