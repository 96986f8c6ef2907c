//! Parses Windows events as JSON lines into a struct with 27 fields, borrowed if they contain no escapes.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A string, borrowed if possible (serde never borrows inside an `Option<Cow<str>>`), or a number.
#[derive(Default)]
struct Text<'a>(#[expect(dead_code, reason = "only the parse is measured")] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a number")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Text::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Text::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Text::default())
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(Take)
    }
}

macro_rules! event {
    ($($field:ident = $name:literal),* $(,)?) => {
        #[derive(serde::Deserialize)]
        struct Event<'a> {
            $(#[serde(borrow, default, rename = $name)] #[expect(dead_code, reason = "only the parse is measured")] $field: Text<'a>,)*
        }
    };
}

event! {
    event_id = "EventID", channel = "Channel", source = "SourceName", host = "Hostname", time = "EventTime",
    utc = "UtcTime", received = "@timestamp", record = "RecordNumber", image = "Image", command = "CommandLine",
    process = "ProcessGuid", pid = "ProcessId", user = "User", integrity = "IntegrityLevel", hashes = "Hashes",
    parent_image = "ParentImage", parent_command = "ParentCommandLine", parent = "ParentProcessGuid",
    logon = "LogonId", pipe = "PipeName", target = "TargetObject", details = "Details", loaded = "ImageLoaded",
    file = "TargetFilename", source_image = "SourceImage", target_image = "TargetImage", script = "ScriptBlockText",
}

/// Parses every line and counts those that are events.
pub fn json(path: &PathBuf, data: &mut Vec<u8>) -> u64 {
    data.clear();
    if File::open(path).and_then(|mut file| file.read_to_end(data)).is_err() {
        return 0;
    }
    let mut records = 0;
    for line in data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        records += u64::from(black_box(sonic_rs::from_slice::<Event<'_>>(line)).is_ok());
    }
    records
}
