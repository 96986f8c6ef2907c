//! The same activity from lines and from laurel.

use backchannel_events::ProcessEvent;
use bumpalo::Bump;

use super::*;
use crate::{Accepted, Normalizer, Record};

/// The events of a laurel object, without their provenance.
fn from_laurel(text: &str) -> Vec<String> {
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    let mut all = Vec::new();
    normalizer
        .accept(&Record::Laurel(text), place(1), &arena, &mut |event| all.push(format!("{:?}", without_place(event))));
    all
}

fn from_lines(lines: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    run(lines, |event| all.push(format!("{:?}", without_place(event))));
    all
}

fn without_place<'a>(event: &ProcessEvent<'a>) -> ProcessEvent<'a> {
    let mut event = *event;
    event.provenance.line = 0;
    event
}

const LAUREL_CALL: &str = r#""SYSCALL":{"arch":"0xc000003e","syscall":NR,"success":"yes","exit":0,"items":1,"ppid":40,"pid":41,"auid":1500,"uid":1500,"gid":1500,"euid":1500,"suid":1500,"fsuid":1500,"egid":1500,"sgid":1500,"fsgid":1500,"tty":"pts9","ses":8,"comm":"tool","exe":"/opt/x/tool","key":"k","ARGV":["0x3","0x7f00","0x6e","0x0"],"PPID":{"comm":"sh","exe":"/bin/sh","ppid":1}}"#;

#[test]
fn lines_and_laurel_give_the_same_exec() {
    let raw = lines(
        7,
        &[
            ("SYSCALL", &syscall(59, 0, ["3", "7f00", "6e"], 1)),
            ("EXECVE", &format!("argc=3 a0=\"sh\" a1=\"-c\" a2={}", hex("100% \u{e9}".as_bytes()))),
            ("CWD", "cwd=\"/srv\""),
            ("PATH", "item=0 name=\"/bin/sh\" mode=0100755 ouid=0 nametype=NORMAL"),
            ("PROCTITLE", &format!("proctitle={}", hex(b"old\0title"))),
        ],
    );
    let laurel = format!(
        r#"{{"ID":"1700000000.100:7",{},"EXECVE":{{"argc":3,"ARGV":["sh","-c","100%25 é"]}},"CWD":{{"cwd":"/srv"}},"PATH":[{{"item":0,"name":"/bin/sh","mode":"0o100755","ouid":0,"nametype":"NORMAL"}}],"PROCTITLE":{{"ARGV":["old","title"]}}}}"#,
        LAUREL_CALL.replace("NR", "59")
    );
    assert_eq!(from_lines(&raw), from_laurel(&laurel));
    assert_eq!(from_laurel(&laurel).len(), 1);
}

#[test]
fn lines_and_laurel_give_the_same_connects() {
    for (bytes, encoded) in [
        (&b"\x01\0/run/x.sock\0\xffjunk"[..], "%01%00/run/x.sock%00%ffjunk"),
        (b"\x01\0\0abs-name", "%01%00%00abs-name"),
        (b"\x02\0\0\x50\x0a\0\0\x01", "%02%00%00P%0a%00%00%01"),
    ] {
        let raw = lines(
            7,
            &[
                ("SYSCALL", &syscall(42, 0, ["3", "7f00", "6e"], 1)),
                ("SOCKADDR", &format!("saddr={}", hex(bytes))),
                ("CWD", "cwd=\"/srv\""),
                ("PATH", "item=0 name=\"/run/x.sock\" mode=0140755 ouid=0 nametype=NORMAL"),
            ],
        );
        let laurel = format!(
            r#"{{"ID":"1700000000.100:7",{},"SOCKADDR":[{{"saddr":"{encoded}"}}],"CWD":{{"cwd":"/srv"}},"PATH":[{{"name":"/run/x.sock","mode":"0o140755","ouid":0,"nametype":"NORMAL"}}]}}"#,
            LAUREL_CALL.replace("NR", "42")
        );
        assert_eq!(from_lines(&raw), from_laurel(&laurel));
        assert_eq!(from_laurel(&laurel).len(), 1);
    }
}

#[test]
fn lines_and_laurel_give_the_same_user_records() {
    let said = "op=login id=1500 exe=\"/usr/sbin/sshd\" hostname=? addr=192.0.2.8 terminal=ssh res=success";
    let raw = lines(7, &[("USER_LOGIN", &format!("pid=90 uid=0 auid=1500 ses=8 msg='{said}'"))]);
    let laurel = format!(
        r#"{{"ID":"1700000000.100:7","NODE":"quiet-host","USER_LOGIN":{{"pid":90,"uid":0,"auid":1500,"ses":8,"msg":"{}"}}}}"#,
        said.replace('"', "\\\"")
    );
    assert_eq!(from_lines(&raw), from_laurel(&laurel));
    let raw = lines(7, &[("DAEMON_END", "op=terminate auid=0 uid=0 ses=8 pid=24 res=success")]);
    let laurel = r#"{"ID":"1700000000.100:7","DAEMON_END":{"op":"terminate","auid":0,"uid":0,"ses":8,"pid":24,"res":"success"}}"#;
    assert_eq!(from_lines(&raw), from_laurel(laurel));
    assert_eq!(from_laurel(laurel).len(), 1);
}

#[test]
fn raw_and_enriched_lines_give_the_same_event_except_for_names() {
    let raw = exec(1, "x");
    let enriched: Vec<String> = raw
        .iter()
        .map(|line| {
            if line.contains("SYSCALL") {
                format!("{line}\u{1d}ARCH=x86_64 SYSCALL=execve UID=\"kim\"")
            } else {
                format!("{line}\u{1d}OUID=\"root\"")
            }
        })
        .collect();
    let mut names = Vec::new();
    let mut events = Vec::new();
    for lines in [&raw, &enriched] {
        run(lines, |event| {
            let mut event = *event;
            names.push(event.process.user.name.to_owned());
            event.process.user.name = "";
            events.push(format!("{event:?}"));
        });
    }
    assert_eq!(names, ["", "kim"]);
    assert_eq!(events[0], events[1]);
}

#[test]
fn an_object_that_is_not_laurels_is_counted() {
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    let deep = "[".repeat(100_000);
    for text in ["", "{", "[]", "{\"ID\":7}", "{\"ID\":\"x\"}", &deep] {
        assert_eq!(normalizer.accept(&Record::Laurel(text), place(1), &arena, &mut |_| panic!()), Accepted::NotUsed);
    }
    assert_eq!(normalizer.audit_stats().malformed, 6);
}
