//! Tests of calls that start, end and access processes; of shared memory and queues.

use backchannel_events::{AccessKind, Activity, Integrity, Mechanism, Outcome, Source, Timestamp};

use super::*;

#[test]
fn an_execve_is_a_process_start_with_all_fields() {
    let call = syscall(59, 0, ["1", "2", "3"], 1);
    one(
        &[
            ("SYSCALL", &call),
            ("EXECVE", "argc=3 a0=\"sh\" a1=\"-c\" a2=69643B20756E616D65202D6E"),
            ("CWD", "cwd=\"/srv/app\""),
            ("PATH", "item=0 name=\"/bin/sh\" inode=5 dev=fd:00 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL"),
            ("PROCTITLE", "proctitle=7368002D63"),
        ],
        |event| {
            assert_eq!(event.activity, Activity::ProcessStart);
            assert_eq!((event.host, event.outcome), ("quiet-host", Outcome::Success));
            assert_eq!(event.time, Timestamp::from_unix(1_700_000_000, 100_000_000));
            let process = event.process;
            assert_eq!((process.pid, process.parent.pid, process.session), (Some(41), Some(40), Some(8)));
            assert_eq!((process.image, process.original_name), ("/opt/x/tool", "tool"));
            assert_eq!(process.command_line, "sh -c 'id; uname -n'");
            assert_eq!((process.working_directory, process.tty), ("/srv/app", "pts9"));
            assert_eq!((process.user.id, process.user.effective_id, process.user.audit_id), ("1500", "1500", "1500"));
            assert_eq!(process.integrity, Integrity::Medium);
            let provenance = event.provenance;
            assert_eq!(provenance.source, Source::Auditd);
            assert_eq!((provenance.input, provenance.line, provenance.record), ("audit.log", 1, "7"));
            assert_eq!((provenance.provider, provenance.event_id), ("SYSCALL", 59));
        },
    );
}

#[test]
fn an_unset_login_uid_is_empty_and_an_effective_root_is_system() {
    let call = syscall(59, 0, ["1", "2", "3"], 0)
        .replace("auid=1500", "auid=4294967295")
        .replace("ses=8", "ses=4294967295")
        .replace("euid=1500", "euid=0");
    one(&[("SYSCALL", &call), ("PROCTITLE", "proctitle=\"/opt/x/tool\"")], |event| {
        assert_eq!((event.process.user.audit_id, event.process.session), ("", None));
        assert_eq!(event.process.integrity, Integrity::System);
        assert_eq!(event.process.command_line, "/opt/x/tool");
    });
}

#[test]
fn enriched_names_are_read_after_the_separator() {
    let call =
        format!("{}\u{1d}ARCH=aarch64 SYSCALL=execve AUID=\"unset\" UID=\"web\"", syscall(9999, 0, ["1", "2", "3"], 0));
    one(&[("SYSCALL", &call)], |event| {
        assert_eq!(event.activity, Activity::ProcessStart);
        assert_eq!((event.process.user.name, event.process.user.audit_id), ("web", "1500"));
    });
}

#[test]
fn a_failed_execve_starts_nothing() {
    none(&[
        ("SYSCALL", &syscall(59, -2, ["1", "2", "3"], 1)),
        ("PATH", "item=0 name=\"/usr/local/bin/x\" nametype=UNKNOWN"),
    ]);
}

#[test]
fn a_long_argument_is_joined_over_records_before_it_is_decoded() {
    let (head, tail) = "f\u{e9} x".as_bytes().split_at(2);
    let more = format!("a1[1]={}  a2=\"last\"", hex(tail));
    one(
        &[
            ("SYSCALL", &syscall(59, 0, ["1", "2", "3"], 0)),
            ("EXECVE", &format!("argc=3 a0=\"echo\" a1_len=10 a1[0]={}", hex(head))),
            ("EXECVE", &format!(" {more}")),
        ],
        |event| assert_eq!(event.process.command_line, "echo 'f\u{e9} x' last"),
    );
}

#[test]
fn a_stale_process_title_is_ignored() {
    let stale = format!("proctitle={}", hex(b"sudo\0chmod\x00777"));
    let fresh = format!("proctitle={}", hex(b"./tool\0--now"));
    for (title, want) in [(&stale, ""), (&fresh, "./tool --now")] {
        let call = syscall(90, 0, ["1", "1b6", "3"], 1);
        let path = "item=0 name=\"/run/x\" mode=0140755 ouid=0 nametype=NORMAL";
        one(&[("SYSCALL", &call), ("PATH", path), ("PROCTITLE", title)], |event| {
            assert_eq!(event.process.command_line, want);
        });
    }
}

#[test]
fn exit_group_ends_a_process_and_other_calls_are_ignored() {
    one(&[("SYSCALL", &syscall(231, 0, ["0", "0", "0"], 0))], |event| {
        assert_eq!(event.activity, Activity::ProcessEnd);
    });
    none(&[("SYSCALL", &syscall(117, 0, ["0", "0", "0"], 0))]);
    none(&[("SYSCALL", &syscall(50, 0, ["3", "80", "0"], 0))]);
}

#[test]
fn a_memfd_program_is_named_though_its_path_holds_a_blank() {
    let exe = format!("exe={}", hex(b"/memfd:w (deleted)"));
    let call = syscall(322, 0, ["3", "0", "0"], 0).replace("exe=\"/opt/x/tool\"", &exe);
    one(&[("SYSCALL", &call), ("EXECVE", "argc=1 a0=\"[kworker/0:1]\"")], |event| {
        assert_eq!((event.process.image, event.process.command_line), ("/memfd:w (deleted)", "[kworker/0:1]"));
    });
}

#[test]
fn ptrace_requests_are_distinguished() {
    for (request, want) in [
        ("10", Some(AccessKind::Attach)),
        ("4206", Some(AccessKind::Attach)),
        ("4", Some(AccessKind::WriteMemory)),
        ("d", Some(AccessKind::WriteMemory)),
        ("4205", Some(AccessKind::WriteMemory)),
        ("1", Some(AccessKind::ReadMemory)),
        ("0", None),
        ("7", None),
        ("11", None),
        ("18", None),
        ("c", None),
        ("420e", None),
    ] {
        let mut seen = None;
        run(&lines(1, &[("SYSCALL", &syscall(101, 0, [request, "1a5", "0"], 0))]), |event| {
            let Activity::ProcessAccess(access) = event.activity else { panic!() };
            assert_eq!((access.target.pid, access.mask), (Some(0x1a5), u32::from_str_radix(request, 16).ok()));
            seen = Some(access.kind);
        });
        assert_eq!(seen, want, "{request}");
    }
}

#[test]
fn the_traced_process_is_described_where_the_record_does() {
    one(
        &[
            ("SYSCALL", &syscall(101, 0, ["10", "1a5", "0"], 0)),
            ("OBJ_PID", "opid=421 oauid=-1 ouid=33 oses=-1 ocomm=\"worker\"\u{1d}OAUID=\"unset\" OUID=\"web\""),
        ],
        |event| {
            let Activity::ProcessAccess(access) = event.activity else { panic!() };
            let target = access.target;
            assert_eq!((target.pid, target.original_name, target.session), (Some(421), "worker", None));
            assert_eq!((target.user.id, target.user.name, target.user.audit_id), ("33", "web", ""));
        },
    );
}

#[test]
fn memory_is_written_and_read_across_processes() {
    for (number, want) in [(311, AccessKind::WriteMemory), (310, AccessKind::ReadMemory)] {
        one(&[("SYSCALL", &syscall(number, 8, ["1a5", "1", "2"], 0))], |event| {
            let Activity::ProcessAccess(access) = event.activity else { panic!() };
            assert_eq!((access.kind, access.target.pid), (want, Some(421)));
        });
    }
    let open = lines(1, &[("SYSCALL", &syscall(434, 9, ["1a5", "0", "0"], 0))]);
    let get = lines(2, &[("SYSCALL", &syscall(438, 10, ["9", "4", "0"], 0))]);
    let count = run(&[open, get].concat(), |event| {
        let Activity::ProcessAccess(access) = event.activity else { panic!() };
        assert_eq!((access.kind, access.target.pid), (AccessKind::Open, Some(421)));
    });
    assert_eq!(count, 1);
}

#[test]
fn a_segment_is_identified_by_its_key_on_attach() {
    let get = lines(1, &[("SYSCALL", &syscall(29, 12, ["abcd", "1000", "3b6"], 0))]);
    let attach =
        lines(2, &[("SYSCALL", &syscall(30, 0, ["c", "0", "1000"], 0)), ("IPC", "ouid=1500 ogid=1500 mode=0666")]);
    let mut seen = Vec::new();
    run(&[get, attach].concat(), |event| seen.push(format!("{:?}", event.activity)));
    assert!(seen[0].starts_with("ChannelCreate") && seen[0].contains("key:0x0000abcd"), "{seen:?}");
    assert!(seen[1].starts_with("ChannelConnect") && seen[1].contains("key:0x0000abcd"), "{seen:?}");
    assert!(seen[1].contains("access: Some(1)") && seen[1].contains("owner: \"1500\""), "{seen:?}");
}

#[test]
fn queues_of_both_kinds_are_channels() {
    one(&[("SYSCALL", &syscall(68, 3, ["77", "0", "0"], 0))], |event| {
        assert_eq!((connected(event).mechanism, connected(event).name), (Mechanism::MessageQueue, "key:0x00000077"));
    });
    one(&[("SYSCALL", &syscall(69, 0, ["5", "0", "0"], 0))], |event| {
        assert_eq!((connected(event).name, connected(event).access), ("id:5", Some(2)));
    });
    one(
        &[
            ("SYSCALL", &syscall(240, 3, ["1", "42", "0"], 1)),
            ("PATH", "item=0 name=\"jobs\" mode=0100666 ouid=9 nametype=CREATE"),
        ],
        |event| {
            let channel = created(event);
            assert_eq!((channel.mechanism, channel.name, channel.access), (Mechanism::MessageQueue, "/jobs", Some(3)));
        },
    );
}

#[test]
fn a_memfd_is_a_file_without_a_name() {
    one(&[("SYSCALL", &syscall(319, 3, ["1", "0", "0"], 0))], |event| {
        assert!(matches!(event.activity, Activity::File(file) if file.path == "memfd:"));
    });
}
