//! Windows events as XML, one per line, as `wevtutil` renders them.

use super::{level, opcode, qualifiers, task};
use crate::clock;
use crate::record::{INSTALLER, Record, WindowsEvent};
use std::fmt::Write;

pub(crate) fn event(out: &mut String, record: &Record, event: &WindowsEvent) {
    let provider = event.provider;
    out.push_str("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='");
    escape(out, provider.name);
    if !provider.guid.is_empty() {
        out.push_str("' Guid='");
        out.push_str(provider.guid);
    }
    out.push_str("'/><EventID");
    if let Some(qualifiers) = qualifiers(event) {
        let _ = write!(out, " Qualifiers='{qualifiers}'");
    }
    // Writing to a string does not fail.
    let _ = write!(
        out,
        ">{}</EventID><Version>{}</Version><Level>{}</Level><Task>{}</Task><Opcode>{}</Opcode><Keywords>{:#x}</Keywords><TimeCreated SystemTime='{}'/><EventRecordID>{}</EventRecordID><Correlation/><Execution ProcessID='{}' ThreadID='{}'/><Channel>{}</Channel><Computer>{}</Computer><Security",
        event.event_id,
        event.version,
        level(event),
        task(event),
        opcode(event),
        provider.keywords,
        clock::rfc_3339(record.time_ns),
        event.record_id,
        event.process_id,
        event.thread_id,
        provider.channel,
        record.host_name,
    );
    if !provider.user.is_empty() {
        let _ = write!(out, " UserID='{}'", provider.user);
    }
    out.push_str("/></System><EventData>");
    let classic = provider.index == INSTALLER.index;
    for (name, value) in &event.fields {
        if classic {
            out.push_str("<Data>");
        } else {
            let _ = write!(out, "<Data Name='{name}'>");
        }
        escape(out, &value.to_string());
        out.push_str("</Data>");
    }
    out.push_str("</EventData></Event>");
}

fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            character => out.push(character),
        }
    }
}
