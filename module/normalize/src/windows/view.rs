//! [`View`]: the fields of one Windows record by name, independent of the carrier.

use backchannel_events::{Outcome, Process, User};
use bumpalo::Bump;

use super::{Provider, positions, text};
use crate::{Fields, WindowsRecord};

const PARAMS: [&str; 16] = [
    "param1", "param2", "param3", "param4", "param5", "param6", "param7", "param8", "param9", "param10", "param11",
    "param12", "param13", "param14", "param15", "param16",
];

/// One record, with the context that is needed to read it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    record: WindowsRecord<'a>,
    names: &'static [&'static str],
    /// Arena for text that has to be built.
    pub arena: &'a Bump,
    /// The host, as logged or as the place states.
    pub host: &'a str,
}

impl<'a> View<'a> {
    /// A view of `record`.
    pub fn new(record: &WindowsRecord<'a>, provider: Provider, host: &'a str, arena: &'a Bump) -> Self {
        let names = match record.fields {
            Fields::Named(_) => &[],
            Fields::Positional(values) => positions::names(provider, record.event_id, values),
        };
        Self { record: *record, names, arena, host }
    }

    /// The record's event id.
    pub fn event_id(&self) -> u32 {
        self.record.event_id
    }

    /// The SID in the record's header: the account of the logging thread.
    pub fn header_user(&self) -> User<'a> {
        User { id: text::clean(self.record.user_sid), ..User::default() }
    }

    /// The value of a field as logged; `None` if the record has no such field.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        match self.record.fields {
            Fields::Named(_) => self.record.field(name),
            Fields::Positional(values) => {
                self.names.iter().position(|known| *known == name).and_then(|at| values.get(at).copied())
            }
        }
    }

    /// The value of a field; "" if it is missing or written as "not known".
    pub fn text(&self, name: &str) -> &'a str {
        self.raw(name).map_or("", text::clean)
    }

    /// The first of two fields that has a value: for names that differ between versions.
    pub fn either(&self, name: &str, other: &str) -> &'a str {
        match self.text(name) {
            "" => self.text(other),
            value => value,
        }
    }

    /// The value of a numeric field, decimal or `0x` hexadecimal.
    pub fn number(&self, name: &str) -> Option<u64> {
        text::number(self.raw(name)?)
    }

    /// The value of a numeric field that fits into 32 bits.
    pub fn small(&self, name: &str) -> Option<u32> {
        self.number(name).and_then(|value| u32::try_from(value).ok())
    }

    /// The value of a port; 0 if there is none.
    pub fn port(&self, name: &str) -> u16 {
        self.number(name).and_then(|value| u16::try_from(value).ok()).unwrap_or(0)
    }

    /// The insert of a classic event, counted from 1 as in its message (`%1`).
    pub fn param(&self, number: usize) -> &'a str {
        let index = number.wrapping_sub(1);
        let value = match self.record.fields {
            Fields::Positional(values) => values.get(index).copied(),
            Fields::Named(fields) => PARAMS
                .get(index)
                .and_then(|name| self.record.field(name))
                .or_else(|| fields.iter().filter(|(name, _)| is_unnamed(name)).nth(index).map(|(_, value)| *value)),
        };
        value.map_or("", text::clean)
    }

    /// The account in `<prefix>UserSid`, `<prefix>UserName`, `<prefix>DomainName`.
    pub fn subject(&self) -> User<'a> {
        User {
            id: text::sid(self.text("SubjectUserSid")),
            name: self.text("SubjectUserName"),
            domain: self.text("SubjectDomainName"),
            ..User::default()
        }
    }

    /// The account in the `Target..` fields.
    pub fn target(&self) -> User<'a> {
        User {
            id: text::sid(self.either("TargetUserSid", "TargetSid")),
            name: self.text("TargetUserName"),
            domain: self.text("TargetDomainName"),
            ..User::default()
        }
    }

    /// The subject of a Security event: its account and logon, and the process where the event names one.
    pub fn security_process(&self) -> Process<'a> {
        Process {
            pid: self.small("ProcessId"),
            image: self.text("ProcessName"),
            user: self.subject(),
            logon_id: self.number("SubjectLogonId"),
            ..Process::default()
        }
    }

    /// Success or failure of an audited action, if the carrier has it.
    pub fn audit_outcome(&self) -> Outcome {
        match self.raw("EventType") {
            Some("AUDIT_SUCCESS") => return Outcome::Success,
            Some("AUDIT_FAILURE") => return Outcome::Failure,
            _ => {}
        }
        match self.raw("Keywords") {
            Some(words) if words.contains("Audit Success") => Outcome::Success,
            Some(words) if words.contains("Audit Failure") => Outcome::Failure,
            Some("0x8020000000000000" | "-9214364837600034816") => Outcome::Success,
            Some("0x8010000000000000" | "-9218868437227405312") => Outcome::Failure,
            _ => Outcome::Unknown,
        }
    }
}

/// The name that decoders give to `<Data>` without a name.
fn is_unnamed(name: &str) -> bool {
    match name.strip_prefix("Data") {
        Some(rest) => rest.trim_matches(['_', '[', ']']).bytes().all(|byte| byte.is_ascii_digit()),
        None => name.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_are_found_by_name_by_blank_name_and_by_position() {
        let arena = Bump::new();
        let named = [("Channel", "x"), ("param1", "one"), ("param2", "two")];
        let blank = [("", "one"), ("", "two")];
        let data = [("Data", "one"), ("Data_1", "two"), ("Database", "three")];
        let positional = ["one", "two"];
        for fields in
            [Fields::Named(&named), Fields::Named(&blank), Fields::Named(&data), Fields::Positional(&positional)]
        {
            let record = WindowsRecord { event_id: 10028, fields, ..WindowsRecord::default() };
            let view = View::new(&record, Provider::DistributedCom, "", &arena);
            assert_eq!((view.param(1), view.param(2), view.param(3)), ("one", "two", ""));
            assert_eq!(view.param(0), "");
        }
    }

    #[test]
    fn an_audit_outcome_comes_from_whatever_the_carrier_has() {
        let arena = Bump::new();
        for (fields, expected) in [
            ([("EventType", "AUDIT_FAILURE")], Outcome::Failure),
            ([("Keywords", "0x8020000000000000")], Outcome::Success),
            ([("Keywords", "[Audit Failure]")], Outcome::Failure),
            ([("Keywords", "0x80")], Outcome::Unknown),
        ] {
            let record = WindowsRecord { fields: Fields::Named(&fields), ..WindowsRecord::default() };
            assert_eq!(View::new(&record, Provider::Security, "", &arena).audit_outcome(), expected);
        }
    }
}
