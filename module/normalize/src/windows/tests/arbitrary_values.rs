//! For arbitrary values, a record gives one event or none, and never a panic.

use backchannel_events::{ProcessEvent, Timestamp};
use bumpalo::Bump;
use proptest::prelude::*;

use crate::windows::Windows;
use crate::{Accepted, Fields, Place, WindowsRecord};

const EVENTS: &[(&str, &[u32])] = &[
    ("Microsoft-Windows-Sysmon", &[1, 3, 4, 5, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 22, 25]),
    (
        "Microsoft-Windows-Security-Auditing",
        &[
            4624, 4625, 4634, 4647, 4648, 4656, 4657, 4663, 4670, 4672, 4688, 4689, 4697, 4698, 4703, 4704, 4720, 4728,
            4732, 5140, 5145, 5156, 5158,
        ],
    ),
    ("Microsoft-Windows-Eventlog", &[104, 1102]),
    ("Service Control Manager", &[7036, 7045]),
    (
        "Microsoft-Windows-DistributedCOM",
        &[
            10000, 10001, 10002, 10004, 10005, 10006, 10007, 10009, 10010, 10014, 10016, 10018, 10027, 10028, 10036,
            10037,
        ],
    ),
    ("Microsoft-Windows-PowerShell", &[4103, 4104]),
    ("PowerShell", &[400, 800]),
    ("Microsoft-Windows-WMI-Activity", &[5857, 5858, 5859, 5860, 5861]),
    ("MsiInstaller", &[1033, 11707]),
    ("Microsoft-Windows-RPC", &[5, 6]),
];

const NAMES: &[&str] = &[
    "UtcTime",
    "Image",
    "PipeName",
    "Hashes",
    "User",
    "ProcessId",
    "GrantedAccess",
    "SourceIp",
    "DestinationIp",
    "Initiated",
    "ShareName",
    "RelativeTargetName",
    "IpAddress",
    "AccessMask",
    "ObjectType",
    "ObjectName",
    "TaskContent",
    "MandatoryLabel",
    "TargetLogonId",
    "param1",
    "param2",
    "param3",
    "param4",
    "param8",
    "param9",
    "Message",
    "Operation",
    "ContextInfo",
    "ClientMachine",
    "NetworkAddress",
    "InterfaceUuid",
    "NewSd",
    "OldSd",
    "ImageLoaded",
    "Signed",
];

/// Arbitrary text, mixed with pieces that parsers look for.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,24}",
        r"[-?%0-9a-fx:.]{0,20}",
        r"(S-1-16-|S-1-5-|::ffff:|\\\\|\{|\}|&lt;|&|<Command>|=|,| -- |: |::| - |Process|File|0x|\n|é|😀){0,8}",
        Just("2024-05-06 07:08:09.123".to_owned()),
        Just("{49B2791A-B1AE-4C90-9B8E-E860BA07F889}".to_owned()),
        Just(r"\Device\NamedPipe".to_owned()),
        Just(r"\\*\IPC$".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_values_do_not_panic(
        values in prop::collection::vec((0..NAMES.len(), value()), 0..30),
        host in ".{0,8}",
        time in any::<Option<i64>>(),
        positional in any::<bool>(),
    ) {
        let mut windows = Windows::default();
        let mut arena = Bump::new();
        let named: Vec<(&str, &str)> = values.iter().map(|(name, value)| (NAMES[*name], value.as_str())).collect();
        let bare: Vec<&str> = values.iter().map(|(_, value)| value.as_str()).collect();
        for (provider, ids) in EVENTS {
            for &event_id in *ids {
                let record = WindowsRecord {
                    provider,
                    event_id,
                    computer: &host,
                    time: time.map(Timestamp),
                    fields: if positional { Fields::Positional(&bare) } else { Fields::Named(&named) },
                    ..WindowsRecord::default()
                };
                let place = Place { input: "arbitrary", ..Place::default() };
                windows.learn_clock(&record, place, &arena);
                let mut given = 0;
                let accepted = windows.accept(&record, place, &arena, &mut |event: &ProcessEvent<'_>| {
                    assert_eq!(event.provenance.event_id, event_id);
                    given += 1;
                });
                let expected = if given == 0 { Accepted::NotUsed } else { Accepted::Events(1) };
                prop_assert_eq!(accepted, expected);
                arena.reset();
            }
        }
    }
}
