//! Zeek's logs as JSON, as Zeek writes them and with the keys that shippers rename.

use backchannel_normalize::{Record, ZeekRecord};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::zeek_tsv::guess_log;
use super::{About, Carrier, Example, Outcome, Shape, Spec};
use crate::json::Members;
use crate::json::scan::{Kind, each, unescape};

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "zeek-json",
        title: "Zeek JSON",
        description: "Zeek logs as JSON, one object per line; `_path` names the log, otherwise its fields determine it.",
        recognised: "A time (`ts`, `_write_ts`) and one of `uid`, `_path`, `@stream`, `id.orig_h`, `id_orig_h`, `fuid`, `id`.",
        examples: &[
            Example {
                shape: "Zeek",
                record: r#"{"_path":"dce_rpc","ts":1700000000.0,"uid":"C1","id.orig_h":"192.0.2.7","id.orig_p":50000,"id.resp_h":"192.0.2.8","id.resp_p":445,"named_pipe":"\\\\pipe\\\\svcctl","endpoint":"svcctl","operation":"CreateServiceW"}"#,
            },
            Example {
                shape: "Corelight and shippers that allow no dots in keys",
                record: r#"{"@stream":"dce_rpc","ts":"2023-11-14T22:13:20Z","uid":"C1","id_orig_h":"192.0.2.7","id_orig_p":50000,"id_resp_h":"192.0.2.8","id_resp_p":445,"endpoint":"svcctl","operation":"CreateServiceW"}"#,
            },
        ],
    },
    carrier: Carrier::Json(&[Shape {
        keys: &[&["ts", "_write_ts"], &["uid", "_path", "@stream", "id.orig_h", "id_orig_h", "fuid", "id"]],
        is: |_| true,
        read: |object| Ok(Some(Outcome::Record(zeek(object.members, object.arena)))),
    }]),
};

fn zeek<'a>(members: &Members<'a>, arena: &'a Bump) -> Record<'a> {
    let mut fields = BumpVec::with_capacity_in(members.all.len(), arena);
    let mut log = "";
    for member in &members.all {
        match (member.key, member.value.kind) {
            (_, Kind::Null) => {}
            ("_path" | "@stream" | "@path", Kind::String) => log = member.value.to_text(arena),
            ("id", Kind::Object) => each(member.value, |key, value| {
                fields.push((bumpalo::format!(in arena, "id.{}", key).into_bump_str() as &str, value.to_text(arena)));
            }),
            (key, _) if key.starts_with(['@', '_']) => {}
            (key, _) => {
                let key = match key {
                    "id_orig_h" => "id.orig_h",
                    "id_orig_p" => "id.orig_p",
                    "id_resp_h" => "id.resp_h",
                    "id_resp_p" => "id.resp_p",
                    key => unescape(key, arena),
                };
                fields.push((key, member.value.to_text(arena)));
            }
        }
    }
    let fields = fields.into_bump_slice();
    if log.is_empty() {
        log = guess_log(|name| fields.iter().any(|(field, _)| *field == name));
    }
    Record::Zeek(ZeekRecord { log, fields })
}
