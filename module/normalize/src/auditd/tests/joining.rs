//! Tests of joining lines to events, for any order, batches and contents.

use bumpalo::Bump;
use proptest::prelude::*;

use super::*;
use crate::{Accepted, AuditLine, Normalizer, Record, SyslogLine};

#[test]
fn interleaved_events_are_joined_by_their_stamp() {
    let (a, b) = (exec(1, "first"), exec(2, "second"));
    let mixed: Vec<String> = a.iter().zip(&b).flat_map(|(a, b)| [a.clone(), b.clone()]).collect();
    let mut seen = Vec::new();
    run(&mixed, |event| {
        seen.push((event.provenance.record.to_owned(), event.provenance.line, event.process.command_line.to_owned()))
    });
    assert_eq!(seen, [("1".into(), 1, "first".into()), ("2".into(), 2, "second".into())]);
}

#[test]
fn the_same_serial_at_another_time_or_node_is_another_event() {
    let a = exec(1, "one");
    let b: Vec<String> = exec(1, "two").iter().map(|line| line.replace("1700000000.100", "1700000000.104")).collect();
    let c: Vec<String> = exec(1, "three").iter().map(|line| format!("node=n3 {line}")).collect();
    let mixed: Vec<String> = (0..a.len()).flat_map(|i| [a[i].clone(), b[i].clone(), c[i].clone()]).collect();
    let mut seen = Vec::new();
    run(&mixed, |event| seen.push((event.host.to_owned(), event.process.command_line.to_owned())));
    assert_eq!(
        seen,
        [("quiet-host".into(), "one".into()), ("quiet-host".into(), "two".into()), ("n3".into(), "three".into())]
    );
}

#[test]
fn an_event_without_title_is_complete_when_its_node_is_two_seconds_later() {
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    let mut first = exec(1, "x");
    first.pop();
    let mut seen = 0;
    let mut feed = |text: &str, line| {
        let record = Record::Audit(AuditLine { text });
        normalizer.accept(&record, place(line), &arena, &mut |_| seen += 1)
    };
    for (index, line) in first.iter().enumerate() {
        assert_eq!(feed(line, index as u64 + 1), Accepted::Pending);
    }
    let later = |node: &str, time: &str| format!("{node}type=CWD msg=audit({time}:2): cwd=\"/\"");
    assert_eq!(feed(&later("", "1700000002.100"), 9), Accepted::Pending);
    assert_eq!(feed(&later("node=other ", "1700000099.000"), 9), Accepted::Pending);
    assert_eq!(feed(&later("", "1700000002.200"), 9), Accepted::Events(1));
    assert_eq!(seen, 1);
}

#[test]
fn a_title_before_the_paths_does_not_end_an_event() {
    let mut shuffled = exec(1, "x");
    shuffled[2..].rotate_right(1);
    assert_eq!(events(&shuffled).len(), 1);
    assert!(events(&shuffled)[0].contains("command_line: \"x\""));
}

#[test]
fn pending_events_are_bounded_and_counted() {
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    let mut seen = 0;
    for serial in 0..2_000 {
        let line = lines(serial, &[("SYSCALL", &syscall(59, 0, ["1", "2", "3"], 1))]);
        let record = Record::Audit(AuditLine { text: &line[0] });
        normalizer.accept(&record, place(1), &arena, &mut |_| seen += 1);
    }
    assert_eq!((seen, normalizer.audit_stats().evicted), (976, 976));
    normalizer.flush(&arena, &mut |_| seen += 1);
    assert_eq!(seen, 2_000);
}

#[test]
fn an_event_without_its_call_is_counted_and_a_bad_line_too() {
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    for text in ["type=CWD msg=audit(1700000000.100:1): cwd=\"/\"", "type=EOE msg=audit(1700000000.100:2): ", "rubbish"]
    {
        normalizer.accept(&Record::Audit(AuditLine { text }), place(1), &arena, &mut |_| panic!());
    }
    normalizer.flush(&arena, &mut |_| panic!());
    let stats = normalizer.audit_stats();
    assert_eq!((stats.orphaned, stats.malformed), (1, 1));
}

#[test]
fn a_line_that_syslog_carried_is_an_audit_line_of_that_host() {
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    let message = "type=1309 audit(1700000000.100:1): argc=1 a0=\"x\"";
    let call = format!("type=1300 audit(1700000000.100:1): {}", syscall(59, 0, ["1", "2", "3"], 0));
    let mut hosts = Vec::new();
    for message in [&call[..], message] {
        let line = SyslogLine { host: "far", program: "kernel", message, ..SyslogLine::default() };
        normalizer.accept(&Record::Syslog(line), place(1), &arena, &mut |_| panic!());
    }
    normalizer.flush(&arena, &mut |event| hosts.push((event.host.to_owned(), event.process.command_line.to_owned())));
    assert_eq!(hosts, [("far".to_owned(), "x".to_owned())]);
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(texts in prop::collection::vec(".{0,200}", 0..20)) {
        let mut normalizer = Normalizer::new();
        let arena = Bump::new();
        for text in &texts {
            normalizer.accept(&Record::Audit(AuditLine { text }), place(1), &arena, &mut |_| {});
            normalizer.accept(&Record::Laurel(text), place(1), &arena, &mut |_| {});
        }
        normalizer.flush(&arena, &mut |_| {});
    }

    #[test]
    fn arbitrary_fields_do_not_panic(
        kinds in prop::collection::vec(0usize..14, 1..30),
        bodies in prop::collection::vec("([a-z_0-9\\[\\]]{1,8}=[\"' ]?[ -~]{0,12}[\"' ]? ?|saddr=[0-9A-F]{0,40} |a[0-3]=[0-9a-f]{1,16} |name=[\\PC]{0,6} ){0,12}", 30),
        numbers in prop::collection::vec(prop::sample::select(vec![59u32, 42, 49, 288, 257, 259, 101, 90, 82, 29, 30, 240, 434, 438, 44]), 30),
    ) {
        let names = ["SYSCALL", "EXECVE", "PATH", "SOCKADDR", "CWD", "PROCTITLE", "OBJ_PID", "IPC", "EOE", "USER_LOGIN", "USER_AVC", "USER_CMD", "CONFIG_CHANGE", "USER_MGMT"];
        let lines: Vec<String> = kinds.iter().enumerate().map(|(index, kind)| {
            let body = &bodies[index];
            let kind = names[*kind];
            let call = if kind == "SYSCALL" { format!("arch=c000003e syscall={} success=yes exit=3 items=1 pid=4 ", numbers[index]) } else { String::new() };
            format!("type={kind} msg=audit(1700000000.{:03}:{}): {call}{body}", index / 8, index / 5)
        }).collect();
        run(&lines, |_| {});
    }

    /// The split of lines into batches, and the points at which the arena is reset, have no effect.
    #[test]
    fn results_do_not_depend_on_batches(cuts in prop::collection::vec(1usize..6, 1..12)) {
        let (a, b, c) = (exec(1, "a"), exec(2, "b"), exec(3, "c"));
        let mixed: Vec<String> = (0..a.len()).flat_map(|i| [a[i].clone(), b[i].clone(), c[i].clone()]).collect();
        let whole = events(&mixed);
        let mut normalizer = Normalizer::new();
        let mut arena = Bump::new();
        let mut all = Vec::new();
        let mut cuts = cuts.iter().cycle();
        let mut left = *cuts.next().unwrap();
        for (index, line) in mixed.iter().enumerate() {
            if left == 0 {
                arena.reset();
                left = *cuts.next().unwrap();
            }
            left -= 1;
            let record = Record::Audit(AuditLine { text: line });
            normalizer.accept(&record, place(index as u64 + 1), &arena, &mut |event| all.push(format!("{event:?}")));
        }
        normalizer.flush(&arena, &mut |event| all.push(format!("{event:?}")));
        prop_assert_eq!(whole, all);
    }
}
