//! macOS Endpoint Security events as eslogger writes them. The fields are parsed by `backchannel-normalize`.

use backchannel_normalize::Record;

use super::{About, Carrier, Example, Outcome, Shape, Spec};
use crate::json::Members;
use crate::json::scan::Kind;

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "endpoint-security",
        title: "macOS eslogger",
        description: "macOS Endpoint Security events as written by `eslogger`, one JSON object per event.",
        recognised: "`event` and `process` are objects, and `event_type` is present.",
        examples: &[Example {
            shape: "eslogger",
            record: r#"{"time":"2023-11-14T22:13:20.5Z","event_type":9,"global_seq_num":31,"process":{"audit_token":{"pid":400,"ruid":501,"euid":0},"ppid":1,"executable":{"path":"/opt/tool"}},"event":{"exec":{"target":{"audit_token":{"pid":401,"ruid":501,"euid":0},"ppid":400,"executable":{"path":"/bin/sh"}},"args":["sh","-c","id"]}}}"#,
        }],
    },
    carrier: Carrier::Json(&[Shape {
        keys: &[&["event"], &["process"], &["event_type"]],
        is,
        read: |object| Ok(is(object.members).then_some(Outcome::Record(Record::EndpointSecurity(object.text)))),
    }]),
};

fn is(members: &Members<'_>) -> bool {
    let object = |key| members.top(key).is_some_and(|value| value.kind == Kind::Object);
    object("event") && object("process")
}
