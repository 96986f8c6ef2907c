//! Tests of the framer on streams in one piece and in many.

use super::*;
use crate::Format;
use proptest::prelude::*;

/// Owned output: text of a record, or reason of a skip, each with its line.
fn run(framing: Framing, encoding: Encoding, limit: usize, pieces: &[&[u8]]) -> Vec<(u64, Result<Vec<u8>, Reason>)> {
    let mut framer = Framer::with_limit(Found { format: Format::Json, framing, encoding }, limit);
    let mut out = Vec::new();
    let mut take = |item: Framed<'_>| match item {
        Framed::Frame(frame) => out.push((frame.line, Ok(frame.bytes.to_vec()))),
        Framed::Skip(skip) => out.push((skip.line, Err(skip.reason))),
    };
    for piece in pieces {
        let mut rest = *piece;
        while let Some(item) = framer.next(&mut rest) {
            take(item);
        }
        assert!(rest.is_empty());
    }
    while let Some(item) = framer.finish() {
        take(item);
    }
    out
}

fn check(framing: Framing, text: &str, expected: &[(u64, Result<&str, Reason>)]) {
    let expected: Vec<_> =
        expected.iter().map(|(line, item)| (*line, item.map(|text| text.as_bytes().to_vec()))).collect();
    for size in [1, 2, 3, 7, text.len().max(1)] {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        assert_eq!(run(framing, Encoding::Utf8, 100, &pieces), expected, "pieces of {size}");
    }
}

#[test]
fn lines_are_counted_and_blank_ones_are_not_records() {
    check(Framing::Lines, "\u{feff}a\r\n\n  \nb\n\0\0c", &[(1, Ok("a")), (4, Ok("b")), (5, Ok("c"))]);
}

#[test]
fn a_line_beyond_the_limit_is_skipped_and_the_next_is_read() {
    let text = format!("{}\nb\n{}\n", "x".repeat(101), "y".repeat(100));
    check(Framing::Lines, &text, &[(1, Err(Reason::TooLarge)), (2, Ok("b")), (3, Ok(&"y".repeat(100)))]);
}

#[test]
fn objects_may_be_concatenated_spread_over_lines_or_in_an_array() {
    check(Framing::Json, "{\"a\":1}{\"b\":\"}\"}\n", &[(1, Ok("{\"a\":1}")), (1, Ok("{\"b\":\"}\"}"))]);
    check(
        Framing::Json,
        "[\n {\n  \"a\": [1, {}]\n },\n {\"b\":\"\\\"{\"}\n]\n",
        &[(2, Ok("{\n  \"a\": [1, {}]\n }")), (5, Ok("{\"b\":\"\\\"{\"}"))],
    );
}

#[test]
fn an_object_that_wraps_the_records_is_unwrapped() {
    check(
        Framing::Json,
        "{ \"Records\": [ {\"a\":[{}]},\n{\"b\":2} ], \"next\": [{\"x\":1}] }\n{\"c\":3}",
        &[(1, Ok("{\"a\":[{}]}")), (2, Ok("{\"b\":2}")), (3, Ok("{\"c\":3}"))],
    );
    check(Framing::Json, "{\"PATH\":[{\"a\":1}]}", &[(1, Ok("{\"PATH\":[{\"a\":1}]}"))]);
    check(Framing::Json, "{\"Records\":[]}", &[]);
}

#[test]
fn an_unclosed_string_affects_one_record() {
    check(Framing::Json, "{\"a\":\"x\n \"b\":1}\n{\"c\":1}\n", &[(1, Err(Reason::OpenString)), (3, Ok("{\"c\":1}"))]);
}

#[test]
fn stray_bytes_are_reported_once() {
    check(Framing::Json, "oops\nmore\n{\"c\":1}\n", &[(1, Err(Reason::Stray)), (3, Ok("{\"c\":1}"))]);
}

#[test]
fn an_object_the_input_ends_in_is_reported() {
    check(Framing::Json, "{\"a\":1}\n{\"b\":", &[(1, Ok("{\"a\":1}")), (2, Err(Reason::Truncated))]);
}

#[test]
fn event_elements_are_found_in_any_text() {
    check(
        Framing::Xml,
        "<?xml?>\n<Events>\n<Event xmlns='x'>1</Event >junk<Event>\n2</Event><EventX></EventX>\n</Events>",
        &[(3, Ok("<Event xmlns='x'>1</Event >")), (3, Ok("<Event>\n2</Event>"))],
    );
    check(Framing::Xml, "<<Event>1<</Event>", &[(1, Ok("<Event>1<</Event>"))]);
}

#[test]
fn an_unclosed_event_element_affects_one_record() {
    check(
        Framing::Xml,
        "<Event a>1\n<Event b>2</Event>\n<Event c>",
        &[(1, Err(Reason::Truncated)), (2, Ok("<Event b>2</Event>")), (3, Err(Reason::Truncated))],
    );
}

#[test]
fn utf_16_is_framed_like_utf_8() {
    let text = "\u{feff}{\"a\":\"ä\u{1f600}\"}\r\n{\"b\":2}";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for size in [1, 3, bytes.len()] {
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        assert_eq!(
            run(Framing::Lines, Encoding::Utf16Le, 100, &pieces),
            [(1, Ok("{\"a\":\"ä\u{1f600}\"}".as_bytes().to_vec())), (2, Ok(b"{\"b\":2}".to_vec()))]
        );
    }
}

#[test]
fn framing_is_detected_from_the_first_bytes() {
    for (text, framing) in [
        ("{\"a\":1}\n{\"b\":2}\n", Framing::Lines),
        ("{\"a\":1}", Framing::Lines),
        ("{\"a\":1", Framing::Lines),
        ("{\"a\":1}{\"b\":2}", Framing::Json),
        ("{\n\"a\":1}", Framing::Json),
        ("[{\"a\":1},\n{\"b\":2}]", Framing::Json),
        ("{\"Records\":[{\"a\":1}]}", Framing::Json),
    ] {
        assert_eq!(probe_json(text.as_bytes()).map(|(framing, _)| framing), Some(framing), "{text}");
    }
    for text in ["{a", "[1,2]", "{ {", "["] {
        assert!(probe_json(text.as_bytes()).is_none(), "{text}");
    }
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_the_pieces(
        text in "([\\[\\]{}\",:\\\\a \n]|<Event>|</Event>|\\{\"a\":1\\}|\\{\"Records\":\\[\\{){0,60}",
        cuts in prop::collection::vec(1usize..9, 1..8),
        limit in 1usize..60,
    ) {
        for framing in [Framing::Lines, Framing::Json, Framing::Xml] {
            let whole = run(framing, Encoding::Utf8, limit, &[text.as_bytes()]);
            let mut pieces = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts.iter().cycle() {
                let (piece, others) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = others;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(run(framing, Encoding::Utf8, limit, &pieces), whole);
        }
    }

    #[test]
    fn any_bytes_are_framed(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for framing in [Framing::Lines, Framing::Json, Framing::Xml] {
            for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
                run(framing, encoding, 64, &[&bytes]);
            }
        }
    }
}
