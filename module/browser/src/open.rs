//! From a file to its inputs: compressions taken off, archives listed, formats recognised by content.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use backchannel_decode::{Container, Detected, Found, detect};

use crate::account::Tally;
use crate::bytes::{Bytes, Reader};
use crate::unpack::{Layer, unpack};

/// How much of an input is looked at to tell its format.
const PEEK: usize = 64 * 1024;
/// How many compressions may lie around one input.
const LAYERS: usize = 3;
/// An archive may hold archives, and those hold none.
const ARCHIVES: usize = 2;
/// How many members of one archive are used.
const MEMBERS: usize = 200_000;
/// How many bytes of an archive that is itself compressed are kept in memory: it must be read in any order.
const UNPACKED: u64 = 512 << 20;

/// What an input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text(Found),
    Evtx,
}

/// One log, ready to be read.
pub(crate) struct Input {
    pub(crate) name: Rc<str>,
    pub(crate) kind: Kind,
    place: Place,
    layers: Vec<Layer>,
}

/// Where an input's bytes are: a file, or a part of it.
#[derive(Clone)]
struct Place {
    bytes: Rc<dyn Bytes>,
    part: Option<(u64, u64)>,
}

impl Place {
    fn open(&self, done: &Rc<Cell<u64>>) -> Reader {
        match self.part {
            Some((offset, length)) => Reader::part(Rc::clone(&self.bytes), offset, length, Rc::clone(done)),
            None => Reader::whole(Rc::clone(&self.bytes), Rc::clone(done)),
        }
    }
}

impl Input {
    /// Its size as it lies there, packed.
    pub(crate) fn size(&self) -> u64 {
        self.place.part.map_or_else(|| self.place.bytes.size(), |(_, length)| length)
    }

    /// Its bytes, unpacked. What is taken from the file is added to `done`.
    pub(crate) fn read(&self, done: &Rc<Cell<u64>>) -> Box<dyn Read> {
        unpack(Box::new(self.place.open(done)), &self.layers)
    }
}

/// Finds the inputs in a file.
pub(crate) fn open(name: &str, bytes: Rc<dyn Bytes>, inputs: &mut Vec<Input>, tally: &mut Tally) {
    let mut opener = Opener { inputs, tally, aside: Rc::default() };
    opener.place(name.to_owned(), Place { bytes, part: None }, Vec::new(), 0);
}

struct Opener<'o> {
    inputs: &'o mut Vec<Input>,
    tally: &'o mut Tally,
    /// What is read to have a look is not progress.
    aside: Rc<Cell<u64>>,
}

impl Opener<'_> {
    fn place(&mut self, name: String, place: Place, mut layers: Vec<Layer>, archives: usize) {
        let mut taken_off = 0;
        loop {
            let mut reader = unpack(Box::new(place.open(&self.aside)), &layers);
            let head = match peek(&mut reader) {
                Ok(head) => head,
                Err(error) => return self.tally.problem(&name, 0, "unreadable", error.to_string()),
            };
            let container = match detect(&head) {
                Detected::Container(container) => container,
                Detected::Empty => return self.tally.empty.push(name),
                Detected::Text(found) => return self.log(name, place, layers, Kind::Text(found)),
                Detected::Evtx => return self.log(name, place, layers, Kind::Evtx),
                Detected::Unknown => {
                    let shown: String = String::from_utf8_lossy(&head[..head.len().min(16)]).escape_debug().collect();
                    let reason = format!("no known log format; it begins with \"{shown}\"");
                    return self.tally.problem(&name, 0, "unknown-format", reason);
                }
            };
            match container {
                Container::Gzip | Container::Zstd if taken_off < LAYERS => {
                    taken_off += 1;
                    layers.push(if container == Container::Gzip { Layer::Gzip } else { Layer::Zstd });
                }
                Container::Gzip | Container::Zstd => {
                    let reason = format!("it is compressed more than {LAYERS} times");
                    return self.tally.problem(&name, 0, "archive", reason);
                }
                Container::Zip | Container::Tar if archives < ARCHIVES => {
                    return self.archive(&name, &place, &layers, container, archives);
                }
                Container::Zip | Container::Tar => {
                    let reason = "an archive in an archive in an archive is not opened".to_owned();
                    return self.tally.problem(&name, 0, "archive", reason);
                }
                Container::Bzip2 | Container::Xz | Container::SevenZip => {
                    let what = match container {
                        Container::Bzip2 => "bzip2",
                        Container::Xz => "xz",
                        _ => "7z",
                    };
                    let reason = format!("{what} is not read: unpack it first");
                    return self.tally.problem(&name, 0, "archive", reason);
                }
            }
        }
    }

    fn log(&mut self, name: String, place: Place, layers: Vec<Layer>, kind: Kind) {
        self.inputs.push(Input { name: name.into(), kind, place, layers });
    }

    fn archive(&mut self, name: &str, place: &Place, layers: &[Layer], container: Container, archives: usize) {
        let place = if layers.is_empty() {
            place.clone()
        } else {
            match self.in_memory(name, place, layers) {
                Ok(bytes) => Place { bytes: Rc::new(bytes), part: None },
                Err(error) => return self.tally.problem(name, 0, "archive", error.to_string()),
            }
        };
        let start = place.part.map_or(0, |(offset, _)| offset);
        let listed = match container {
            Container::Zip => zip_members(place.open(&self.aside)),
            _ => tar_members(place.open(&self.aside)),
        };
        let (members, problems) = listed.unwrap_or_else(|error| (Vec::new(), vec![(String::new(), error.to_string())]));
        for (member, problem) in problems {
            let whole = if member.is_empty() { name.to_owned() } else { format!("{name}/{member}") };
            self.tally.problem(&whole, 0, "archive", problem);
        }
        for member in members {
            let part = Some((start.saturating_add(member.offset), member.length));
            let inner = Place { bytes: Rc::clone(&place.bytes), part };
            self.place(format!("{name}/{}", member.name), inner, member.layers, archives + 1);
        }
    }

    fn in_memory(&mut self, name: &str, place: &Place, layers: &[Layer]) -> io::Result<Vec<u8>> {
        let mut reader = unpack(Box::new(place.open(&self.aside)), layers).take(UNPACKED + 1);
        let mut bytes = Vec::new();
        if let Err(error) = reader.read_to_end(&mut bytes) {
            if bytes.is_empty() {
                return Err(error);
            }
            self.tally.problem(name, 0, "archive", format!("{error}: what stands before it is used"));
        } else if bytes.len() as u64 > UNPACKED {
            bytes.truncate(usize::try_from(UNPACKED).unwrap_or(usize::MAX));
            let reason = format!("it unpacks to more than {UNPACKED} bytes: the rest is left out");
            self.tally.problem(name, 0, "archive", reason);
        }
        Ok(bytes)
    }
}

/// Reads up to [`PEEK`] bytes. What stands before an error is used: the error comes again when the input is read.
fn peek(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    match reader.take(PEEK as u64).read_to_end(&mut head) {
        Err(error) if head.is_empty() => Err(error),
        Ok(_) | Err(_) => Ok(head),
    }
}

struct Member {
    name: String,
    offset: u64,
    length: u64,
    layers: Vec<Layer>,
}

/// Members that can be read, and what cannot (member, reason; an empty member: the archive).
type Listed = (Vec<Member>, Vec<(String, String)>);

fn tar_members(reader: Reader) -> io::Result<Listed> {
    let mut archive = tar::Archive::new(reader);
    let (mut members, mut problems) = (Vec::new(), Vec::new());
    for entry in archive.entries_with_seek()? {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.push((String::new(), format!("damaged after {} members: {error}", members.len())));
                break;
            }
        };
        let kind = entry.header().entry_type();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_gnu_sparse() {
            problems.push((name, "a sparse member is not read: unpack the archive first".into()));
        } else if (kind.is_file() || kind.is_contiguous()) && !is_hidden(&name) {
            members.push(Member { offset: entry.raw_file_position(), length: entry.size(), layers: Vec::new(), name });
        }
        if members.len() >= MEMBERS {
            problems.push((String::new(), format!("it has more than {MEMBERS} members: the rest is left out")));
            break;
        }
    }
    Ok((members, problems))
}

fn zip_members(reader: Reader) -> io::Result<Listed> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(reader)).map_err(io::Error::from)?;
    let (mut members, mut problems) = (Vec::new(), Vec::new());
    if archive.len() > MEMBERS {
        problems.push((String::new(), format!("it has more than {MEMBERS} members: the rest is left out")));
    }
    for index in 0..archive.len().min(MEMBERS) {
        let member = match archive.by_index_raw(index) {
            Ok(member) => member,
            Err(error) => {
                problems.push((format!("member {index}"), error.to_string()));
                continue;
            }
        };
        let name = member.name().map_or_else(|_| format!("member {index}"), |name| name.into_owned());
        if !member.is_file() || is_hidden(&name) {
            continue;
        }
        let mut layers = match member.compression() {
            zip::CompressionMethod::Stored => Vec::new(),
            zip::CompressionMethod::Deflated => vec![Layer::Deflate],
            other => {
                problems.push((name, format!("compression method {other} is not read: unpack the archive first")));
                continue;
            }
        };
        let Some(offset) = member.data_start() else {
            problems.push((name, "it does not say where the member begins".into()));
            continue;
        };
        if member.encrypted() {
            problems.push((name, "it is encrypted".into()));
            continue;
        }
        layers.push(Layer::Checksum(member.crc32()));
        members.push(Member { offset, length: member.compressed_size(), layers, name });
    }
    Ok((members, problems))
}

fn is_hidden(name: &str) -> bool {
    name.split(['/', '\\']).any(|part| part.starts_with('.') && part != "." && part != "..")
}
