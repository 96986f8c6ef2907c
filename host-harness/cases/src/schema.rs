//! The names and kinds of the fields of findings and incidents, as `docs/output.md` documents them.
//!
//! An expectation on any other field is rejected: a misspelt name would never match, or always.

/// The type of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Text,
    Number,
    Bool,
    /// One of these words, ranked in this order.
    Ranked(&'static [&'static str]),
    List(&'static Kind),
    Object(&'static Object),
}

/// A JSON object.
#[derive(Debug)]
pub(crate) struct Object {
    /// The member that a plain string is compared with.
    pub by: &'static str,
    pub fields: &'static [(&'static str, Kind)],
}

pub(crate) const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];
const SEVERITY: Kind = Kind::Ranked(SEVERITIES);
const CONFIDENCE: Kind = Kind::Ranked(&["low", "medium", "high", "certain"]);
const TEXTS: Kind = Kind::List(&Kind::Text);
const RECORDS: Kind = Kind::List(&Kind::Object(&RECORD));

const RECORD: Object = Object {
    by: "text",
    fields: &[
        ("source", Kind::Text),
        ("record", Kind::Text),
        ("line", Kind::Number),
        ("provider", Kind::Text),
        ("event_id", Kind::Number),
        ("time", Kind::Text),
        ("host", Kind::Text),
        ("text", Kind::Text),
        ("finding", Kind::Text),
    ],
};

/// A process; in an incident with its host and the reason for listing it.
const PROCESS: Object = Object {
    by: "name",
    fields: &[
        ("host", Kind::Text),
        ("name", Kind::Text),
        ("path", Kind::Text),
        ("pid", Kind::Number),
        ("entity", Kind::Text),
        ("command_line", Kind::Text),
        ("user", Kind::Text),
        ("integrity", Kind::Text),
        ("hashes", TEXTS),
        ("ancestors", TEXTS),
        ("untrusted", Kind::Bool),
        ("privileged", Kind::Bool),
        ("why", Kind::Text),
    ],
};

const CHANNEL: Object = Object {
    by: "name",
    fields: &[("mechanism", Kind::Text), ("name", Kind::Text), ("remote", Kind::Bool), ("peer", Kind::Text)],
};

/// Who acted, or what was acted upon.
const SIDE: Object = Object {
    by: "host",
    fields: &[("host", Kind::Text), ("process", Kind::Object(&PROCESS)), ("account", Kind::Text)],
};

const ANSWER: Kind = Kind::Object(&Object {
    by: "value",
    fields: &[("value", Kind::Text), ("text", Kind::Text), ("evidence", RECORDS), ("missing", TEXTS)],
});

const ANSWERS: Kind =
    Kind::Object(&Object { by: "", fields: &[("q1", ANSWER), ("q2", ANSWER), ("q3", ANSWER), ("q4", ANSWER)] });

pub(crate) const FINDING: Object = Object {
    by: "",
    fields: &[
        ("type", Kind::Text),
        ("id", Kind::Text),
        ("analytic", Kind::Text),
        ("title", Kind::Text),
        ("severity", SEVERITY),
        ("confidence", CONFIDENCE),
        ("time", Kind::Text),
        ("host", Kind::Text),
        ("user", Kind::Text),
        ("client", Kind::Object(&PROCESS)),
        ("server", Kind::Object(&PROCESS)),
        ("channel", Kind::Object(&CHANNEL)),
        ("origin", Kind::Object(&SIDE)),
        ("target", Kind::Object(&SIDE)),
        ("techniques", TEXTS),
        ("indicators", TEXTS),
        ("reasons", TEXTS),
        ("count", Kind::Number),
        ("text", Kind::Text),
        ("evidence", RECORDS),
        ("answers", ANSWERS),
        ("changes", RECORDS),
        ("logon", Kind::Object(&RECORD)),
        ("ioc_matches", TEXTS),
        ("joins", TEXTS),
        ("incident", Kind::Text),
        ("suppressed", Kind::Object(&Object { by: "rule", fields: &[("rule", Kind::Text), ("reason", Kind::Text)] })),
    ],
};

const MACHINE: Object = Object { by: "host", fields: &[("host", Kind::Text), ("address", Kind::Text)] };

const MOVEMENT: Object = Object {
    by: "mechanism",
    fields: &[
        ("from", Kind::Object(&MACHINE)),
        ("to", Kind::Object(&MACHINE)),
        ("account", Kind::Text),
        ("mechanism", Kind::Text),
        ("time", Kind::Text),
        ("findings", TEXTS),
    ],
};

pub(crate) const INCIDENT: Object = Object {
    by: "",
    fields: &[
        ("type", Kind::Text),
        ("id", Kind::Text),
        ("revision", Kind::Number),
        ("supersedes", TEXTS),
        ("severity", SEVERITY),
        ("tier", Kind::Number),
        ("text", Kind::Text),
        (
            "reasons",
            Kind::List(&Kind::Object(&Object {
                by: "code",
                fields: &[("code", Kind::Text), ("text", Kind::Text), ("findings", TEXTS)],
            })),
        ),
        ("answers", ANSWERS),
        ("patterns", TEXTS),
        ("hosts", TEXTS),
        ("users", TEXTS),
        ("processes", Kind::List(&Kind::Object(&PROCESS))),
        ("channels", Kind::List(&Kind::Object(&CHANNEL))),
        ("movements", Kind::List(&Kind::Object(&MOVEMENT))),
        ("tactic", Kind::Text),
        ("technique", Kind::Text),
        ("techniques", TEXTS),
        ("first_seen", Kind::Text),
        ("last_seen", Kind::Text),
        ("findings", TEXTS),
        (
            "level1",
            Kind::Object(&Object {
                by: "",
                fields: &[
                    ("anomalies", TEXTS),
                    ("user_activity", RECORDS),
                    ("recent_changes", RECORDS),
                    ("timeline", RECORDS),
                    (
                        "bursts",
                        Kind::List(&Kind::Object(&Object {
                            by: "start",
                            fields: &[
                                ("start", Kind::Text),
                                ("end", Kind::Text),
                                ("count", Kind::Number),
                                ("distinct", Kind::Number),
                            ],
                        })),
                    ),
                ],
            }),
        ),
        (
            "level2",
            Kind::Object(&Object {
                by: "",
                fields: &[
                    ("processes", Kind::List(&Kind::Object(&PROCESS))),
                    ("hashes", TEXTS),
                    ("ioc_matches", TEXTS),
                    ("related_hosts", TEXTS),
                    ("connections", TEXTS),
                    ("collect", TEXTS),
                ],
            }),
        ),
        (
            "containment",
            Kind::List(&Kind::Object(&Object {
                by: "action",
                fields: &[
                    ("action", Kind::Text),
                    ("target", Kind::Text),
                    ("order", Kind::Number),
                    ("why", Kind::Text),
                    ("breaks", Kind::Text),
                ],
            })),
        ),
    ],
};

/// The paths of all members of `document` (a finding or an incident, by its `type`) that expectations cannot name:
/// fields that were added to the output but not to this crate.
pub fn undocumented(document: &serde_json::Value) -> Vec<String> {
    let object = if document["type"] == "incident" { &INCIDENT } else { &FINDING };
    let mut unknown = Vec::new();
    compare(&Kind::Object(object), document, "", &mut unknown);
    unknown
}

fn compare(kind: &Kind, value: &serde_json::Value, path: &str, unknown: &mut Vec<String>) {
    match (kind, value) {
        (Kind::Object(object), serde_json::Value::Object(members)) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match object.fields.iter().find(|(known, _)| known == name) {
                    Some((_, kind)) => compare(kind, value, &path, unknown),
                    None => unknown.push(path),
                }
            }
        }
        (Kind::List(kind), serde_json::Value::Array(items)) => {
            items.iter().for_each(|item| compare(kind, item, path, unknown));
        }
        (_, serde_json::Value::Null)
        | (Kind::Text | Kind::Ranked(_), serde_json::Value::String(_))
        | (Kind::Number, serde_json::Value::Number(_))
        | (Kind::Bool, serde_json::Value::Bool(_)) => {}
        _ => unknown.push(path.to_owned()),
    }
}
