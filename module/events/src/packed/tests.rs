//! Packed batches round-trip, and malformed ones are rejected without a panic.

use proptest::prelude::*;

use super::fields::{self, Codec, Word};
use super::*;
use crate::*;

/// Fills the fields of an event from lists that proptest made, so that a field listed in `fields.rs` is tested.
struct Filler<'a> {
    texts: &'a [String],
    numbers: &'a [u64],
    at: usize,
}

impl Filler<'_> {
    fn next(&mut self) -> u64 {
        self.at += 1;
        self.numbers[self.at % self.numbers.len()]
    }
}

impl<'a> Codec<'a> for Filler<'a> {
    fn activity(&mut self) {}

    fn text(&mut self, value: &mut &'a str) {
        self.at += 1;
        *value = &self.texts[self.at % self.texts.len()];
    }

    fn number(&mut self, value: &mut u32) {
        *value = self.next() as u32;
    }

    fn long(&mut self, value: &mut u64) {
        *value = self.next();
    }

    fn number_if(&mut self, value: &mut Option<u32>) {
        let number = self.next();
        *value = (!number.is_multiple_of(3)).then_some(number as u32);
    }

    fn long_if(&mut self, value: &mut Option<u64>) {
        let number = self.next();
        *value = (!number.is_multiple_of(3)).then_some(number);
    }

    fn flag(&mut self, value: &mut bool) {
        *value = self.next() % 2 == 1;
    }

    fn flag_if(&mut self, value: &mut Option<bool>) {
        *value = [None, Some(false), Some(true)][(self.next() % 3) as usize];
    }

    fn word<W: Word>(&mut self, value: &mut W) {
        *value = W::from_code((self.next() % 25) as u32).unwrap_or_default();
    }
}

fn filled<'a>(kind: u32, texts: &'a [String], numbers: &'a [u64]) -> ProcessEvent<'a> {
    let mut filler = Filler { texts, numbers, at: 0 };
    let mut event = ProcessEvent {
        time: Timestamp(filler.next().cast_signed()),
        host: "",
        outcome: Outcome::default(),
        process: Process::default(),
        activity: fields::blank(kind).expect("kind in range"),
        provenance: Provenance::default(),
    };
    filler.text(&mut event.host);
    filler.text(&mut event.provenance.input);
    filler.text(&mut event.provenance.provider);
    filler.word(&mut event.provenance.source);
    fields::event(&mut filler, &mut event);
    event
}

type Material = (u32, Vec<String>, Vec<u64>);

fn material() -> impl Strategy<Value = Vec<Material>> {
    let text = prop_oneof![Just(String::new()), "[a-zA-Z0-9\\\\ :.]{1,40}", "\\PC{0,12}"];
    let number = prop_oneof![Just(0), 0..30_u64, any::<u64>()];
    let one = (0..ActivityKind::COUNT as u32, prop::collection::vec(text, 1..24), prop::collection::vec(number, 1..24));
    prop::collection::vec(one, 0..9)
}

fn packed(events: &[ProcessEvent<'_>]) -> Vec<u8> {
    let mut builder = Builder::default();
    for event in events {
        builder.push(event).expect("fits");
    }
    assert_eq!(builder.len(), events.len());
    let mut out = Vec::new();
    let size = builder.size();
    builder.finish(&mut out);
    assert_eq!(out.len(), size);
    assert!(builder.is_empty());
    out
}

/// One event of each kind with every field filled.
fn one_of_each() -> (Vec<String>, Vec<u64>) {
    ((0..67).map(|i| format!("text {i} \u{e9}")).collect(), (0..71).map(|i| i * 2 + 1).collect())
}

proptest! {
    #[test]
    fn packed_events_round_trip(material in material()) {
        let events: Vec<ProcessEvent<'_>> =
            material.iter().map(|(kind, texts, numbers)| filled(*kind, texts, numbers)).collect();
        let bytes = packed(&events);
        let batch = Batch::parse(&bytes).unwrap();
        prop_assert_eq!(batch.len(), events.len());
        prop_assert_eq!(batch.iter().collect::<Vec<_>>(), events);
    }

    #[test]
    fn arbitrary_bytes_are_rejected_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..400), honest in any::<bool>()) {
        if honest {
            // A consistent header, so that the random bytes reach the rows.
            let rows = bytes.len() / 8 * 4;
            let mut batch = b"BCPK".to_vec();
            for value in [1, rows as u32 / 36, 0, rows as u32, 0, (bytes.len() - rows) as u32] {
                batch.extend(value.to_le_bytes());
            }
            batch.append(&mut bytes);
            bytes = batch;
        }
        match Batch::parse(&bytes) {
            Ok(batch) => prop_assert_eq!(batch.iter().count(), batch.len()),
            Err(error) => prop_assert!(error.offset <= bytes.len()),
        }
    }

    #[test]
    fn a_changed_byte_is_rejected_or_read(material in material(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let events: Vec<ProcessEvent<'_>> =
            material.iter().map(|(kind, texts, numbers)| filled(*kind, texts, numbers)).collect();
        let mut bytes = packed(&events);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        match Batch::parse(&bytes) {
            Ok(batch) => prop_assert_eq!(batch.iter().count(), batch.len()),
            Err(error) => prop_assert!(error.offset <= bytes.len()),
        }
    }
}

#[test]
fn changing_any_byte_of_any_kind_does_not_panic() {
    let (texts, numbers) = one_of_each();
    let events: Vec<_> = (0..ActivityKind::COUNT as u32).map(|kind| filled(kind, &texts, &numbers)).collect();
    let bytes = packed(&events);
    assert_eq!(Batch::parse(&bytes).unwrap().iter().collect::<Vec<_>>(), events);
    let mut refused = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x80;
        match Batch::parse(&changed) {
            Ok(batch) => assert_eq!(batch.iter().count(), events.len()),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn a_truncated_batch_is_rejected_at_any_length() {
    let (texts, numbers) = one_of_each();
    let bytes = packed(&[filled(2, &texts, &numbers)]);
    for end in 0..bytes.len() {
        assert!(Batch::parse(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn an_error_has_the_offset() {
    let (texts, numbers) = one_of_each();
    let bytes = packed(&[filled(9, &texts, &numbers), filled(9, &texts, &numbers)]);
    let at = |offset: usize, byte: u8| {
        let mut changed = bytes.clone();
        changed[offset] = byte;
        Batch::parse(&changed).map(|_| ()).unwrap_err()
    };
    assert_eq!(at(0, b'X'), PackedError { offset: 0, reason: "the letters BCPK" });
    assert_eq!(at(4, 9), PackedError { offset: 4, reason: "version 1" });
    // The first row follows header and one origin: its kind is its second word, its origin the third.
    assert_eq!(at(60, 99).reason, "the number of a kind of activity");
    assert_eq!(at(60, 99).offset, 60);
    assert_eq!(at(64, 7), PackedError { offset: 64, reason: "the number of an origin" });
}

#[test]
fn text_is_split_at_character_boundaries_only() {
    let (texts, nothing) = (["\u{20ac}\u{20ac}".to_owned()], [String::new()]);
    let event = ProcessEvent {
        activity: Activity::Dns(DnsQuery { query: &texts[0], answers: "x" }),
        ..filled(18, &nothing, &[0])
    };
    let mut bytes = packed(&[event]);
    let length = bytes.windows(4).rposition(|word| word == 6_u32.to_le_bytes()).unwrap();
    bytes[length] = 5;
    let error = Batch::parse(&bytes).map(|_| ()).unwrap_err();
    assert_eq!(error.offset, length + 4);
    assert!(error.reason.contains("whole characters"), "{error}");
}

#[test]
fn empty_fields_take_no_space_and_an_origin_is_written_once() {
    let nothing = [String::new()];
    let empty = filled(0, &nothing, &[0]);
    assert_eq!(packed(&[empty]).len(), HEADER * 2 + ROW_HEADER);
    let texts = ["an input".to_owned()];
    let event = ProcessEvent { host: &texts[0], ..empty };
    assert_eq!(packed(&[event; 50]).len(), HEADER * 2 + 50 * ROW_HEADER + texts[0].len());
}

#[test]
fn a_builder_reports_when_it_is_full_and_is_reused() {
    let (texts, numbers) = one_of_each();
    let mut builder = Builder::new(4_000);
    let event = filled(1, &texts, &numbers);
    let mut pushed = 0;
    while !builder.is_full() {
        builder.push(&event).unwrap();
        pushed += 1;
    }
    assert!(pushed > 1);
    let mut out = vec![1, 2, 3];
    builder.finish(&mut out);
    assert_eq!(Batch::parse(&out).unwrap().len(), pushed);
    builder.finish(&mut out);
    assert!(Batch::parse(&out).unwrap().is_empty());
}
