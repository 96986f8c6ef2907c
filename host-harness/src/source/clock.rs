//! A first look at an input that can be read twice: does its source write local time and call it UTC?
//!
//! Sysmon's records carry two times and give that away. Some collectors deliver one log after the other, so that
//! records whose time is wrong come before those that tell; without this look their times would stay as they are.

use std::io::{self, Read};

use backchannel_decode::{Decoded, Format, Found, Framed, Framer};
use backchannel_normalize::Place;

use super::SourceOptions;
use super::stream::Context;
use super::text::{More, Pieces, decoder};

/// This many telling records are enough.
const ENOUGH: u32 = 100;
/// An input without any is not looked at further than this, in bytes.
const FARTHEST: usize = 128 * 1024 * 1024;

/// Looks at an input's telling records.
pub(super) fn look(
    bytes: Box<dyn Read>,
    found: Found,
    options: &SourceOptions,
    context: &mut Context,
) -> io::Result<()> {
    if !matches!(found.format, Format::Json | Format::WindowsJson | Format::WindowsXml) {
        return Ok(());
    }
    let telling = |provider: &str, event_id: u32| {
        provider.eq_ignore_ascii_case("Microsoft-Windows-Sysmon") && matches!(event_id, 1 | 5 | 7 | 10..=13 | 17 | 18)
    };
    let (mut pieces, mut framer, mut decoder) = (Pieces::new(bytes), Framer::new(found), decoder(found, options));
    let (mut told, mut looked) = (0, 0);
    while told < ENOUGH && looked < FARTHEST {
        let mut rest = pieces.rest();
        while let Some(framed) = framer.next(&mut rest) {
            let Framed::Frame(frame) = framed else { continue };
            let place = Place { input: &context.name, line: frame.line, default_host: &context.host };
            if let Ok(Decoded::Record(record)) = decoder.decode(&frame, &context.arena, &telling) {
                context.normalizer.learn_clock(&record, place, &context.arena);
                told += 1;
            }
            context.arena.reset();
        }
        pieces.set_rest(0);
        // Whatever is wrong with the input is told when it is read in earnest.
        match pieces.read()? {
            More::Some => looked += pieces.rest().len(),
            More::Idle | More::End => break,
        }
    }
    Ok(())
}
