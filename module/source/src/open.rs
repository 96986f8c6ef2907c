//! Finds the inputs in a file: decompresses it, lists archives, recognises formats by content.

use std::io::{self, Read};
use std::rc::Rc;

use backchannel_decode::{Container, Detected, Found, detect};

use crate::archive::{tar_members, zip_members};
use crate::bytes::{Bytes, Reader};
use crate::input::{Input, Kind, Place};
use crate::skips::{SkipDetail, Skips};
use crate::unpack::{Layer, unpack};
use crate::{InputFormat, Options};

/// Bytes of an input that are read to recognise its format.
const PEEK: usize = 64 * 1024;
/// Maximum number of nested compressions of one input.
const LAYERS: usize = 3;
/// Maximum depth of archives: an archive may contain archives, and those none.
const ARCHIVES: usize = 2;

/// Finds the inputs in files and streams.
pub(crate) struct Opener<'s> {
    pub(crate) options: &'s Options,
    pub(crate) inputs: Vec<Input>,
    pub(crate) skips: &'s mut Skips,
    pub(crate) empty: &'s mut Vec<String>,
}

impl Opener<'_> {
    /// Adds the inputs in a file.
    pub(crate) fn bytes(&mut self, name: &str, bytes: Rc<dyn Bytes>) {
        self.place(name.to_owned(), Place::Whole(bytes), Vec::new(), 0);
    }

    /// Adds the inputs in a stream.
    pub(crate) fn stream(&mut self, name: &str, reader: Box<dyn Read>) {
        self.place(name.to_owned(), Place::once(reader), Vec::new(), 0);
    }

    fn problem(&mut self, name: &str, code: &str, reason: String) {
        self.skips.add(SkipDetail::of_input(name, code, reason));
    }

    fn place(&mut self, name: String, mut place: Place, mut layers: Vec<Layer>, archives: usize) {
        let mut removed = 0;
        loop {
            let (head, detected) = match self.look(&mut place, &layers) {
                Ok(found) => found,
                Err(error) => return self.problem(&name, "unreadable", error.to_string()),
            };
            let container = match detected {
                Detected::Container(container) => container,
                Detected::Empty => return self.empty.push(name),
                other => return self.log(name, place, layers, other, &head),
            };
            match container {
                Container::Gzip | Container::Zstd if removed < LAYERS => {
                    removed += 1;
                    let layer = if container == Container::Gzip { Layer::Gzip } else { Layer::Zstd };
                    match place {
                        // A stream has no layers: they are removed while it is opened.
                        Place::Once(reader) => {
                            let Some(reader) = reader.borrow_mut().take() else { return };
                            place = Place::once(unpack(reader, &[layer], &self.options.unpack));
                        }
                        _ => layers.push(layer),
                    }
                }
                Container::Gzip | Container::Zstd => {
                    return self.problem(&name, "archive", format!("it is compressed more than {LAYERS} times"));
                }
                Container::Zip | Container::Tar if archives < ARCHIVES => {
                    return self.archive(&name, &place, &layers, container, archives);
                }
                Container::Zip | Container::Tar => {
                    let reason = "archives in archives in archives are not supported".to_owned();
                    return self.problem(&name, "archive", reason);
                }
                Container::Bzip2 | Container::Xz | Container::SevenZip => {
                    let what = match container {
                        Container::Bzip2 => "bzip2",
                        Container::Xz => "xz",
                        _ => "7z",
                    };
                    return self.problem(&name, "archive", format!("{what} is not supported: unpack it first"));
                }
            }
        }
    }

    /// Reads and classifies the first bytes of an input. A stream is put together again.
    fn look(&self, place: &mut Place, layers: &[Layer]) -> io::Result<(Vec<u8>, Detected)> {
        let mut reader = unpack(place.open()?, layers, &self.options.unpack);
        let head = match peek(&mut reader, self.options.pace.is_some()) {
            Ok(head) => head,
            Err((head, error)) if head.is_empty() => return Err(error),
            // The error occurs again when the input is read; the data before it is used.
            Err((head, _)) => head,
        };
        let detected = detect(&head);
        if matches!(place, Place::Once(_)) {
            *place = Place::once(Box::new(io::Cursor::new(head.clone()).chain(reader)));
        }
        Ok((head, detected))
    }

    fn log(&mut self, name: String, place: Place, layers: Vec<Layer>, detected: Detected, head: &[u8]) {
        let kind = match (self.options.format, detected) {
            (None, Detected::Text(found)) => Kind::Text(found),
            (None, Detected::Evtx) | (Some(InputFormat::Evtx), _) => Kind::Evtx,
            (Some(InputFormat::Text(format)), Detected::Text(found)) => {
                // The framing is detected; only the format is stated by the user.
                let framing = if format.is_json() { found.framing } else { format.framing() };
                Kind::Text(Found { format, framing, encoding: found.encoding })
            }
            (Some(InputFormat::Text(format)), _) => {
                Kind::Text(Found { format, framing: format.framing(), encoding: Default::default() })
            }
            (None, _) => {
                let shown: String = String::from_utf8_lossy(&head[..head.len().min(16)]).escape_debug().collect();
                let reason = format!("no known log format; it begins with \"{shown}\"");
                return self.problem(&name, "unknown-format", reason);
            }
        };
        self.inputs.push(Input { name: name.into(), kind, place, layers });
    }

    fn archive(&mut self, name: &str, place: &Place, layers: &[Layer], container: Container, archives: usize) {
        // Members are read in any order: from the archive in place, or from a copy if it is compressed itself.
        let (archive, start, reader) = match place {
            Place::Whole(bytes) if layers.is_empty() => (Rc::clone(bytes), 0, Reader::whole(Rc::clone(bytes))),
            Place::Part { archive, offset, length } if layers.is_empty() => {
                (Rc::clone(archive), *offset, Reader::part(Rc::clone(archive), *offset, *length))
            }
            _ => match self.spool(place, layers) {
                Ok((bytes, problem)) => {
                    if let Some(problem) = problem {
                        self.problem(name, "archive", problem);
                    }
                    (Rc::clone(&bytes), 0, Reader::whole(bytes))
                }
                Err(error) => return self.problem(name, "archive", error.to_string()),
            },
        };
        let listed = match container {
            Container::Zip => zip_members(reader),
            _ => tar_members(reader),
        };
        let (members, problems) = listed.unwrap_or_else(|error| (Vec::new(), vec![(String::new(), error.to_string())]));
        for (member, problem) in problems {
            let whole = if member.is_empty() { name.to_owned() } else { format!("{name}/{member}") };
            self.problem(&whole, "archive", problem);
        }
        for member in members {
            let place = Place::Part {
                archive: Rc::clone(&archive),
                offset: start.saturating_add(member.offset),
                length: member.length,
            };
            self.place(format!("{name}/{}", member.name), place, member.layers, archives + 1);
        }
    }

    /// Copies an input so that it can be read at any offset. The second value is the reason if the copy is incomplete.
    fn spool(&self, place: &Place, layers: &[Layer]) -> io::Result<(Rc<dyn Bytes>, Option<String>)> {
        let limit = self.options.unpack.spooled;
        let mut reader = unpack(place.open()?, layers, &self.options.unpack).take(limit.saturating_add(1));
        let mut spool = (self.options.spool)()?;
        let mut buffer = vec![0; 256 * 1024];
        let mut written = 0u64;
        let problem = loop {
            match reader.read(&mut buffer) {
                Ok(0) => break None,
                Ok(read) => {
                    written += read as u64;
                    if written > limit {
                        break Some(format!("it unpacks to more than {limit} bytes: the rest is skipped"));
                    }
                    spool.write_all(&buffer[..read])?;
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(error) => break Some(format!("{error}: the data before it is used")),
            }
        };
        Ok((spool.finish()?, problem))
    }
}

/// Reads up to [`PEEK`] bytes; of an input that is still being written to, only up to the first whole line.
fn peek(reader: &mut dyn Read, growing: bool) -> Result<Vec<u8>, (Vec<u8>, io::Error)> {
    let mut head = vec![0; PEEK];
    let mut filled = 0;
    let end = loop {
        if filled == head.len() || (growing && head[..filled].contains(&b'\n')) {
            break Ok(());
        }
        match reader.read(&mut head[filled..]) {
            Ok(0) => break Ok(()),
            Ok(read) => filled += read,
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Err(error) => break Err(error),
        }
    };
    head.truncate(filled);
    match end {
        Ok(()) => Ok(head),
        Err(error) => Err((head, error)),
    }
}
