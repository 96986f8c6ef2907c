//! Common to the tests of the audit normaliser: generated lines, and functions that normalise them.

use backchannel_events::{Activity, Channel, ProcessEvent};
use bumpalo::Bump;

use crate::{AuditLine, Normalizer, Place, Record};

mod calls;
mod channels;
mod joining;
mod laurel;
mod user;

/// The lines of event `e` (serial) with these records, each given without its header.
pub(super) fn lines(serial: u32, records: &[(&str, &str)]) -> Vec<String> {
    records.iter().map(|(kind, body)| format!("type={kind} msg=audit(1700000000.100:{serial}): {body}")).collect()
}

/// A SYSCALL record of x86_64.
pub(super) fn syscall(number: u32, exit: i64, arguments: [&str; 3], items: u32) -> String {
    let success = if exit < 0 { "no" } else { "yes" };
    let [a0, a1, a2] = arguments;
    format!(
        "arch=c000003e syscall={number} success={success} exit={exit} a0={a0} a1={a1} a2={a2} a3=0 items={items} \
         ppid=40 pid=41 auid=1500 uid=1500 gid=1500 euid=1500 suid=1500 fsuid=1500 egid=1500 sgid=1500 fsgid=1500 \
         tty=pts9 ses=8 comm=\"tool\" exe=\"/opt/x/tool\" key=\"k\""
    )
}

pub(super) fn place(line: u64) -> Place<'static> {
    Place { input: "audit.log", line, default_host: "quiet-host" }
}

/// Normalises lines, flushes, and passes each event to `check`. Returns the number of events.
pub(super) fn run(lines: &[String], mut check: impl FnMut(&ProcessEvent<'_>)) -> usize {
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    let mut count = 0;
    let mut sink = |event: &ProcessEvent<'_>| {
        count += 1;
        check(event);
    };
    for (index, line) in lines.iter().enumerate() {
        let record = Record::Audit(AuditLine { text: line });
        normalizer.accept(&record, place(index as u64 + 1), &arena, &mut sink);
    }
    normalizer.flush(&arena, &mut sink);
    count
}

/// The only event of one audit event.
pub(super) fn one(records: &[(&str, &str)], check: impl Fn(&ProcessEvent<'_>)) {
    assert_eq!(run(&lines(7, records), check), 1, "{records:?}");
}

pub(super) fn none(records: &[(&str, &str)]) {
    assert_eq!(run(&lines(7, records), |_| {}), 0, "{records:?}");
}

pub(super) fn events(lines: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    run(lines, |event| all.push(format!("{event:?}")));
    all
}

pub(super) fn connected<'a>(event: &ProcessEvent<'a>) -> Channel<'a> {
    match event.activity {
        Activity::ChannelConnect(channel) => channel,
        other => panic!("{other:?}"),
    }
}

pub(super) fn created<'a>(event: &ProcessEvent<'a>) -> Channel<'a> {
    match event.activity {
        Activity::ChannelCreate(channel) => channel,
        other => panic!("{other:?}"),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

pub(super) fn exec(serial: u32, name: &str) -> Vec<String> {
    let call = syscall(59, 0, ["1", "2", "3"], 1);
    lines(
        serial,
        &[
            ("SYSCALL", &call),
            ("EXECVE", &format!("argc=1 a0=\"{name}\"")),
            ("CWD", "cwd=\"/\""),
            ("PATH", "item=0 name=\"/bin/x\" mode=0100755 ouid=0 nametype=NORMAL"),
            ("PROCTITLE", "proctitle=\"x\""),
        ],
    )
}
