//! The measured pipelines without a sandbox: each reads all files once.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};

use backchannel_decode::evtx::{CHUNK_SIZE, ChunkReader, HEADER_SIZE, Item, Piece, Splitter};
use backchannel_decode::{Decoded, Decoder, Detected, Found, Framed, Framer, Options, detect};
use backchannel_engine::{Correlator, Engine, Output};
use backchannel_events::ProcessEvent;
use backchannel_normalize::{Normalizer, Place, Record, wants};
use bumpalo::Bump;

/// Decodes records and drops them.
pub fn decode(files: &[PathBuf]) -> u64 {
    files
        .iter()
        .map(|path| {
            read(path, &mut |record, _, _| {
                black_box(record);
            })
        })
        .sum()
}

/// Decodes and normalises, and drops the events.
pub fn normalize(files: &[PathBuf]) -> u64 {
    normalized(files, &mut |event| {
        black_box(event);
    })
}

/// Both stages, linked, up to the incidents.
pub struct Stages {
    engine: Engine,
    correlator: Correlator,
}

impl Stages {
    pub fn open() -> Self {
        let wrong = "the defaults are good settings";
        Self { engine: Engine::open(None, None).expect(wrong), correlator: Correlator::open(None).expect(wrong) }
    }

    pub fn take(&mut self, evaluate: impl FnOnce(&mut Engine) -> Output) {
        let output = evaluate(&mut self.engine);
        if !(output.findings.is_empty() && output.signals.is_empty() && output.activity.is_empty()) {
            let documents: Vec<String> = output.findings.into_iter().map(|finding| finding.document).collect();
            self.correlator.observe(&documents, &output.signals, &output.activity);
        }
    }

    pub fn finish(mut self) {
        self.take(Engine::flush);
        black_box(self.correlator.incidents());
    }
}

/// The whole pipeline, evaluating each event directly: nothing is packed, merged or kept for a restart.
pub fn native(files: &[PathBuf]) -> u64 {
    let mut stages = Stages::open();
    let records = normalized(files, &mut |event| stages.take(|engine| engine.events(std::slice::from_ref(event))));
    stages.finish();
    records
}

fn normalized(files: &[PathBuf], sink: &mut dyn FnMut(&ProcessEvent<'_>)) -> u64 {
    let mut records = 0;
    for path in files {
        let mut normalizer = Normalizer::new();
        let name = path.display().to_string();
        records += read(path, &mut |record, line, arena| {
            let place = Place { input: &name, line, default_host: "" };
            normalizer.accept(record, place, arena, sink);
        });
        normalizer.flush(&Bump::new(), sink);
    }
    records
}

/// Passes every record to `sink` with its line, and returns the number of all records, relevant or not. Files are read
/// in pieces, as the harness reads them.
fn read(path: &Path, sink: &mut dyn FnMut(&Record<'_>, u64, &Bump)) -> u64 {
    let mut file = File::open(path).expect("the input can be opened");
    let mut buffer = vec![0; 2 * CHUNK_SIZE];
    // The header of an event log is read alone first, so that pieces contain whole chunks of the log.
    let length = piece(&mut file, &mut buffer[..HEADER_SIZE]);
    if detect(&buffer[..length]) == Detected::Evtx {
        return evtx(&mut file, &mut buffer, length, sink);
    }
    let length = length + piece(&mut file, &mut buffer[length..]);
    match detect(&buffer[..length]) {
        Detected::Text(found) => text(&mut file, &mut buffer, length, found, sink),
        other => panic!("{}: {other:?} is no log to measure with", path.display()),
    }
}

/// Fills `buffer`, or up to the end of the file.
fn piece(file: &mut File, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read(room).expect("the input can be read") {
            0 => break,
            read => filled += read,
        }
    }
    filled
}

fn evtx(file: &mut File, buffer: &mut [u8], mut length: usize, sink: &mut dyn FnMut(&Record<'_>, u64, &Bump)) -> u64 {
    let (mut splitter, mut chunks, mut arena, mut records) = (Splitter::new(), ChunkReader::new(), Bump::new(), 0);
    while length > 0 {
        let mut rest = &buffer[..length];
        while let Some(piece) = splitter.next(&mut rest) {
            if let Piece::Chunk { number, bytes } = piece {
                chunks.read(number, bytes, &arena, &wants, &mut |item| match item {
                    Item::Record(record) => {
                        records += 1;
                        sink(&Record::Windows(record), 0, &arena);
                    }
                    Item::NotWanted { .. } => records += 1,
                    Item::Skip(_) | Item::Note(_) => {}
                });
                arena.reset();
            }
        }
        length = piece(file, buffer);
    }
    records
}

fn text(
    file: &mut File,
    buffer: &mut [u8],
    mut length: usize,
    found: Found,
    sink: &mut dyn FnMut(&Record<'_>, u64, &Bump),
) -> u64 {
    let (mut framer, mut decoder) = (Framer::new(found), Decoder::new(found.format, Options::default()));
    let (mut arena, mut records) = (Bump::new(), 0);
    let mut take = |item: Framed<'_>| {
        records += 1;
        if let Framed::Frame(frame) = item
            && let Ok(Decoded::Record(record)) = decoder.decode(&frame, &arena, &wants)
        {
            sink(&record, frame.line, &arena);
        }
        arena.reset();
    };
    while length > 0 {
        let mut rest = &buffer[..length];
        while let Some(item) = framer.next(&mut rest) {
            take(item);
        }
        length = piece(file, buffer);
    }
    while let Some(item) = framer.finish() {
        take(item);
    }
    records
}
