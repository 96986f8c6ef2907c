//! Tests of sockets, FIFOs and files.

use backchannel_events::{Activity, FileKind, FileOperation, Mechanism, Outcome};

use super::*;

fn saddr(bytes: &[u8]) -> String {
    format!("saddr={}\u{1d}SADDR={{ saddr_fam=local path=/misleading }}", hex(bytes))
}

#[test]
fn a_connect_to_a_path_has_the_owner_of_the_socket() {
    one(
        &[
            ("SYSCALL", &syscall(42, 0, ["3", "7f00", "6e"], 1)),
            ("SOCKADDR", &saddr(b"\x01\0/run/priv.sock\0\xde\xad")),
            ("CWD", "cwd=\"/\""),
            ("PATH", "item=0 name=\"/run/priv.sock\" mode=0140660 ouid=0 nametype=NORMAL"),
        ],
        |event| {
            let channel = connected(event);
            assert_eq!((channel.mechanism, channel.name), (Mechanism::UnixSocket, "/run/priv.sock"));
            assert_eq!((channel.owner, channel.mode), ("0", Some(0o140_660)));
        },
    );
}

#[test]
fn an_abstract_name_keeps_its_at_sign() {
    one(&[("SYSCALL", &syscall(42, 0, ["3", "7f00", "b"], 0)), ("SOCKADDR", &saddr(b"\x01\0\0chan one"))], |event| {
        let channel = connected(event);
        assert_eq!((channel.mechanism, channel.name), (Mechanism::UnixAbstract, "@chan one"));
    });
}

#[test]
fn a_refused_connect_is_denied_and_a_missing_socket_is_a_failure() {
    for (exit, want) in
        [(-13, Outcome::Denied), (-1, Outcome::Denied), (-2, Outcome::Failure), (-111, Outcome::Failure)]
    {
        one(
            &[("SYSCALL", &syscall(42, exit, ["3", "7f00", "6e"], 0)), ("SOCKADDR", &saddr(b"\x01\0/run/x\0"))],
            |event| assert_eq!(event.outcome, want),
        );
    }
}

#[test]
fn a_relative_socket_path_is_resolved_in_the_current_directory() {
    one(
        &[
            ("SYSCALL", &syscall(49, 0, ["3", "7f00", "9"], 2)),
            ("SOCKADDR", &saddr(b"\x01\0../s/a\0")),
            ("CWD", "cwd=\"/dev/shm\""),
            ("PATH", "item=0 name=\"/dev/shm\" mode=041777 ouid=0 nametype=PARENT"),
            ("PATH", "item=1 name=\"../s/a\" mode=0140755 ouid=1500 nametype=CREATE"),
        ],
        |event| {
            let channel = created(event);
            assert_eq!((channel.name, channel.owner, channel.mode), ("/dev/s/a", "1500", Some(0o140_755)));
        },
    );
}

#[test]
fn internet_and_netlink_addresses_are_not_channels() {
    one(
        &[
            ("SYSCALL", &syscall(42, -115, ["3", "7f00", "10"], 0)),
            ("SOCKADDR", &saddr(b"\x02\0\x11\x5c\xc6\x33\x64\x07\0\0\0\0\0\0\0\0")),
        ],
        |event| {
            let Activity::NetworkFlow(flow) = event.activity else { panic!() };
            assert_eq!((flow.remote.address, flow.remote.port, flow.outbound), ("198.51.100.7", 4444, true));
            // EINPROGRESS: the result is not known yet.
            assert_eq!(event.outcome, Outcome::Unknown);
        },
    );
    for number in [42, 44, 49] {
        none(&[("SYSCALL", &syscall(number, 0, ["3", "7f00", "c"], 0)), ("SOCKADDR", &saddr(b"\x10\0\0\0\0\0\0\0"))]);
    }
}

#[test]
fn a_datagram_sent_to_a_path_is_a_connect() {
    for number in [44, 46] {
        one(
            &[("SYSCALL", &syscall(number, 5, ["3", "7f00", "5"], 0)), ("SOCKADDR", &saddr(b"\x01\0/dev/log"))],
            |event| assert_eq!(connected(event).name, "/dev/log"),
        );
    }
}

#[test]
fn an_accept_has_the_name_its_listener_was_bound_to() {
    let bind = |serial| {
        lines(serial, &[("SYSCALL", &syscall(49, 0, ["4", "7f00", "a"], 0)), ("SOCKADDR", &saddr(b"\x01\0\0listen"))])
    };
    let accept = |serial, pid: &str, exe: &str| {
        let call = syscall(288, 6, ["4", "0", "0"], 0).replace("ppid=40 pid=41", pid).replace("/opt/x/tool", exe);
        lines(serial, &[("SYSCALL", &call)])
    };
    // The same process; its child; a process of the same program without relation to it; another program.
    for (pid, exe, want) in [
        ("ppid=40 pid=41", "/opt/x/tool", Some("@listen")),
        ("ppid=41 pid=50", "/opt/x/other", Some("@listen")),
        ("ppid=1 pid=60", "/opt/x/tool", Some("@listen")),
        ("ppid=1 pid=60", "/opt/x/other", None),
    ] {
        let mut seen = None;
        run(&[bind(1), accept(2, pid, exe)].concat(), |event| {
            if let Activity::ChannelAccept(channel) = event.activity {
                assert_eq!(channel.mechanism, Mechanism::UnixAbstract);
                seen = Some(channel.name.to_owned());
            }
        });
        assert_eq!(seen.as_deref(), want, "{pid} {exe}");
    }
}

#[test]
fn an_accept_of_an_unbound_peer_is_an_accept_without_a_name() {
    let call = syscall(288, 6, ["4", "7f00", "7f08"], 0);
    one(&[("SYSCALL", &call), ("SOCKADDR", &saddr(b"\x01\0"))], |event| {
        let Activity::ChannelAccept(channel) = event.activity else { panic!() };
        assert_eq!((channel.mechanism, channel.name), (Mechanism::UnixSocket, ""));
    });
    one(&[("SYSCALL", &call), ("SOCKADDR", &saddr(b"\x02\0\xc0\0\x0a\0\0\x09"))], |event| {
        let Activity::NetworkFlow(flow) = event.activity else { panic!() };
        assert_eq!((flow.remote.address, flow.outbound), ("10.0.0.9", false));
    });
}

#[test]
fn a_fifo_is_recognised_by_the_mode_argument() {
    for (number, arguments) in [(133, ["1", "11b6", "0"]), (259, ["ffffff9c", "1", "11b6"])] {
        one(
            &[
                ("SYSCALL", &syscall(number, 0, arguments, 2)),
                ("CWD", "cwd=\"/tmp\""),
                ("PATH", "item=0 name=\"/tmp\" mode=041777 ouid=0 nametype=PARENT"),
                ("PATH", "item=1 name=\"pipe\" mode=010664 ouid=1500 nametype=CREATE"),
            ],
            |event| {
                let channel = created(event);
                assert_eq!(
                    (channel.mechanism, channel.name, channel.mode),
                    (Mechanism::Fifo, "/tmp/pipe", Some(0o010_664))
                );
            },
        );
    }
    // A regular file made by mknod is a file.
    one(
        &[
            ("SYSCALL", &syscall(133, 0, ["1", "81a4", "0"], 1)),
            ("PATH", "item=0 name=\"/tmp/f\" mode=0100644 nametype=CREATE"),
        ],
        |event| assert!(matches!(event.activity, Activity::File(file) if file.operation == FileOperation::Create)),
    );
}

#[test]
fn opening_a_fifo_is_a_connect_with_the_access_mode() {
    for (flags, access) in [("0", 1), ("241", 2), ("80002", 3)] {
        one(
            &[
                ("SYSCALL", &syscall(257, 3, ["ffffff9c", "1", flags], 1)),
                ("CWD", "cwd=\"/run/w\""),
                ("PATH", "item=0 name=\"./ctl\" mode=010660 ouid=77 nametype=NORMAL"),
            ],
            |event| {
                let channel = connected(event);
                assert_eq!((channel.mechanism, channel.name), (Mechanism::Fifo, "/run/w/ctl"));
                assert_eq!((channel.access, channel.owner), (Some(access), "77"));
            },
        );
    }
}

#[test]
fn a_name_relative_to_a_descriptor_stays_as_logged() {
    one(
        &[
            ("SYSCALL", &syscall(257, 3, ["5", "1", "0"], 1)),
            ("CWD", "cwd=\"/run/w\""),
            ("PATH", "item=0 name=\"ctl\" mode=010660 ouid=77 nametype=NORMAL"),
        ],
        |event| assert_eq!(connected(event).name, "ctl"),
    );
}

#[test]
fn files_are_opened_written_and_created() {
    for (flags, kind, want) in [
        ("0", "NORMAL", FileOperation::Open),
        ("80002", "NORMAL", FileOperation::Write),
        ("a00c2", "CREATE", FileOperation::Create),
    ] {
        let path = format!("item=0 name=\"/dev/shm/seg\" mode=0100600 ouid=1500 nametype={kind}");
        one(&[("SYSCALL", &syscall(257, 3, ["ffffff9c", "1", flags], 1)), ("PATH", &path)], |event| {
            let Activity::File(file) = event.activity else { panic!() };
            assert_eq!((file.operation, file.path, file.kind), (want, "/dev/shm/seg", FileKind::Regular));
        });
    }
}

#[test]
fn a_chmod_has_the_new_mode_and_the_kind_of_the_old() {
    let path = "item=0 name=\"svc.sock\" mode=0140755 ouid=0 nametype=NORMAL";
    for (number, arguments) in [(90, ["1", "1ff", "0"]), (268, ["ffffff9c", "1", "1ff"])] {
        one(&[("SYSCALL", &syscall(number, 0, arguments, 1)), ("CWD", "cwd=\"/run\""), ("PATH", path)], |event| {
            let Activity::File(file) = event.activity else { panic!() };
            assert_eq!(
                (file.operation, file.kind, file.path),
                (FileOperation::ChangeMode, FileKind::Socket, "/run/svc.sock")
            );
            assert_eq!((file.mode, file.owner), (Some(0o777), "0"));
        });
    }
}

#[test]
fn a_rename_has_both_names_and_a_link_its_target() {
    one(
        &[
            ("SYSCALL", &syscall(82, 0, ["1", "2", "0"], 4)),
            ("PATH", "item=0 name=\"/a\" mode=040755 nametype=PARENT"),
            ("PATH", "item=1 name=\"/b\" mode=040755 nametype=PARENT"),
            ("PATH", "item=2 name=\"/a/old\" mode=0100644 nametype=DELETE"),
            ("PATH", "item=3 name=\"/b/new\" mode=0100644 nametype=CREATE"),
        ],
        |event| {
            let Activity::File(file) = event.activity else { panic!() };
            assert_eq!((file.operation, file.path, file.old_path), (FileOperation::Rename, "/b/new", "/a/old"));
        },
    );
    one(
        &[
            ("SYSCALL", &syscall(86, 0, ["1", "2", "0"], 2)),
            ("PATH", "item=0 name=\"/a/x\" mode=0100644 nametype=NORMAL"),
            ("PATH", "item=1 name=\"/a/y\" mode=0100644 nametype=CREATE"),
        ],
        |event| {
            let Activity::File(file) = event.activity else { panic!() };
            assert_eq!((file.path, file.old_path), ("/a/y", "/a/x"));
        },
    );
    one(
        &[
            ("SYSCALL", &syscall(87, 0, ["1", "0", "0"], 1)),
            ("PATH", "item=0 name=\"/a/x\" mode=0140644 nametype=DELETE"),
        ],
        |event| assert!(matches!(event.activity, Activity::File(file) if file.operation == FileOperation::Delete)),
    );
}
