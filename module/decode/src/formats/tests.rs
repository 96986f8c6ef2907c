//! Tests of every entry of the registry.

use std::collections::BTreeSet;

use super::*;
use crate::{Decoded, Decoder, Detected, Framed, Framer, detect};

#[test]
fn names_are_unique_and_map_back_to_their_format() {
    let names: BTreeSet<&str> = InputFormat::all().map(InputFormat::as_str).collect();
    assert_eq!(names.len(), InputFormat::all().count());
    for format in InputFormat::all() {
        let name = format.as_str();
        assert_eq!(InputFormat::from_name(name), Some(format));
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        let about = format.about();
        for text in [about.title, about.description, about.recognised] {
            assert!(!text.is_empty(), "{name}: title, description and recognised are needed");
            assert!(!text.contains('\n'), "{name}: `{text}` must be one line, for docs/formats.md");
        }
    }
    assert_eq!(InputFormat::from_name("nothing"), None);
}

#[test]
fn every_example_is_recognised_and_gives_a_record() {
    let arena = Bump::new();
    for format in Format::ALL {
        assert!(!format.about().examples.is_empty(), "{} has no example", format.as_str());
        for Example { shape, record } in format.about().examples {
            let Detected::Text(found) = detect(record.as_bytes()) else { panic!("{shape} is not recognised") };
            assert_eq!(found.format, format, "{shape}");
            let (mut framer, mut decoder) = (Framer::new(found), Decoder::new(format, Options::default()));
            let mut records = 0;
            let mut take = |item: Framed<'_>| {
                let Framed::Frame(frame) = item else { panic!("{shape}: {item:?}") };
                match decoder.decode(&frame, &arena, &|_, _| true) {
                    Ok(Decoded::Record(_)) => records += 1,
                    Ok(Decoded::Nothing) => {}
                    other => panic!("{shape}: {other:?}"),
                }
            };
            let mut rest = record.as_bytes();
            while let Some(item) = framer.next(&mut rest) {
                take(item);
            }
            while let Some(item) = framer.finish() {
                take(item);
            }
            assert_eq!(records, 1, "{shape}");
        }
    }
}

#[test]
fn every_shape_of_a_format_is_in_the_list_of_all() {
    let listed: Vec<Format> = SHAPES.iter().map(|(format, _)| *format).collect();
    assert!(listed.is_sorted(), "the order of recognition is that of the registry");
    for format in Format::ALL {
        let own = match &format.spec().carrier {
            Carrier::Json(shapes) => shapes.len(),
            Carrier::Text(_) => 0,
        };
        assert_eq!(listed.iter().filter(|listed| **listed == format).count(), own, "{}", format.as_str());
    }
}
