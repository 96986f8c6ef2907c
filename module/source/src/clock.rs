//! A first pass over inputs that can be read twice, to find out whether the source writes local time as UTC.
//!
//! Sysmon's records contain two times, which show it. Some collectors write one log after the other, so that records
//! with wrong times precede the first record of Sysmon; without this pass their times would not be corrected.

use std::io::{self, Read};

use backchannel_decode::{Decoded, Format, Found, Framed, Framer};
use backchannel_normalize::Place;

use crate::Options;
use crate::stream::Context;
use crate::text::{More, Pieces, decoder};

/// Number of records with two times that is sufficient.
const SUFFICIENT_RECORDS: u32 = 100;
/// Bytes after which an input without any such record is not read further.
const MAX_BYTES: usize = 128 * 1024 * 1024;

/// Reads the records of an input that have two times.
pub(crate) fn look(bytes: Box<dyn Read>, found: Found, options: &Options, context: &mut Context) -> io::Result<()> {
    if !matches!(found.format, Format::Json | Format::WindowsJson | Format::WindowsXml) {
        return Ok(());
    }
    let has_two_times = |provider: &str, event_id: u32| {
        provider.eq_ignore_ascii_case("Microsoft-Windows-Sysmon") && matches!(event_id, 1 | 5 | 7 | 10..=13 | 17 | 18)
    };
    let (mut pieces, mut framer, mut decoder) = (Pieces::new(bytes), Framer::new(found), decoder(found, options));
    let (mut seen, mut bytes_read) = (0, 0);
    while seen < SUFFICIENT_RECORDS && bytes_read < MAX_BYTES {
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
        // Errors in the input are counted when its events are read.
        match pieces.read()? {
            More::Some => bytes_read += pieces.rest().len(),
            More::Idle | More::End => break,
        }
    }
    Ok(())
}
