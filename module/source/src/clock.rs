//! A first pass over an input that can be read twice: does its source write local time and call it UTC?
//!
//! Sysmon's records carry two times, which shows it. Some collectors deliver one log after the other, so that records
//! whose time is wrong come before the first record of Sysmon; without this pass their times would stay wrong.

use std::io::{self, Read};

use backchannel_decode::{Decoded, Format, Found, Framed, Framer};
use backchannel_normalize::Place;

use crate::Options;
use crate::stream::Context;
use crate::text::{More, Pieces, decoder};

/// This many records with two times are enough.
const ENOUGH: u32 = 100;
/// An input without any is not read further than this, in bytes.
const FARTHEST: usize = 128 * 1024 * 1024;

/// Reads an input's records with two times.
pub(crate) fn look(bytes: Box<dyn Read>, found: Found, options: &Options, context: &mut Context) -> io::Result<()> {
    if !matches!(found.format, Format::Json | Format::WindowsJson | Format::WindowsXml) {
        return Ok(());
    }
    let has_two_times = |provider: &str, event_id: u32| {
        provider.eq_ignore_ascii_case("Microsoft-Windows-Sysmon") && matches!(event_id, 1 | 5 | 7 | 10..=13 | 17 | 18)
    };
    let (mut pieces, mut framer, mut decoder) = (Pieces::new(bytes), Framer::new(found), decoder(found, options));
    let (mut seen, mut looked) = (0, 0);
    while seen < ENOUGH && looked < FARTHEST {
        let mut rest = pieces.rest();
        while let Some(framed) = framer.next(&mut rest) {
            let Framed::Frame(frame) = framed else { continue };
            let place = Place { input: &context.name, line: frame.line, default_host: &context.host };
            if let Ok(Decoded::Record(record)) = decoder.decode(&frame, &context.arena, &has_two_times) {
                context.normalizer.learn_clock(&record, place, &context.arena);
                seen += 1;
            }
            context.arena.reset();
        }
        pieces.set_rest(0);
        // What is wrong with the input is counted when its events are read.
        match pieces.read()? {
            More::Some => looked += pieces.rest().len(),
            More::Idle | More::End => break,
        }
    }
    Ok(())
}
