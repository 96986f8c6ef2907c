//! From a file to its inputs: compressions taken off, archives listed, formats recognised by content.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backchannel_decode::{Container, Detected, Found, detect};

use super::unpack::{Layer, unpack};
use super::{InputFormat, SkipDetail, Skips, SourceOptions, follow};

/// How much of an input is looked at to tell its format.
const PEEK: usize = 64 * 1024;
/// How many compressions may lie around one input.
const LAYERS: usize = 3;
/// An archive may hold archives, and those hold none.
const ARCHIVES: usize = 2;
/// How many members of one archive are used.
const MEMBERS: usize = 200_000;

/// What an input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text(Found),
    Evtx,
}

/// One log, ready to be read.
pub(super) struct Input {
    pub(super) name: Rc<str>,
    pub(super) kind: Kind,
    place: Place,
    layers: Vec<Layer>,
}

/// Where an input's bytes are.
#[derive(Clone)]
enum Place {
    File(PathBuf),
    /// A part of a file.
    Slice {
        backing: Rc<Backing>,
        offset: u64,
        length: u64,
    },
    /// It can be read once.
    Once(Rc<RefCell<Option<Box<dyn Read>>>>),
}

enum Backing {
    Path(PathBuf),
    /// A temporary file, removed with the last input that needs it.
    Spooled(tempfile::TempPath),
}

impl Backing {
    fn path(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Spooled(path) => path,
        }
    }
}

impl Input {
    /// Whether it can be read more than once.
    pub(super) fn is_repeatable(&self) -> bool {
        !matches!(self.place, Place::Once(_))
    }

    /// Its size as it lies there, packed; 0 where that is not known.
    pub(super) fn size(&self) -> u64 {
        match &self.place {
            Place::File(path) => std::fs::metadata(path).map_or(0, |of| of.len()),
            Place::Slice { length, .. } => *length,
            Place::Once(_) => 0,
        }
    }

    /// Its bytes, unpacked. What was taken from the place is added to `progress`.
    pub(super) fn read(&self, options: &SourceOptions, progress: &Arc<AtomicU64>) -> io::Result<Box<dyn Read>> {
        let raw = Box::new(Progress { inner: self.place.open()?, done: Arc::clone(progress) });
        Ok(unpack(raw, &self.layers, &options.unpack))
    }
}

impl Place {
    fn open(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::File(path) => Ok(Box::new(File::open(path)?)),
            Self::Slice { backing, offset, length } => {
                let mut file = File::open(backing.path())?;
                file.seek(SeekFrom::Start(*offset))?;
                Ok(Box::new(Slice { inner: file, left: *length }))
            }
            Self::Once(reader) => {
                reader.borrow_mut().take().ok_or_else(|| io::Error::other("it can be read only once"))
            }
        }
    }
}

struct Progress {
    inner: Box<dyn Read>,
    done: Arc<AtomicU64>,
}

impl Read for Progress {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A part of a file; it is an error if the file ends before the part does.
struct Slice {
    inner: File,
    left: u64,
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if room == 0 {
            return Ok(0);
        }
        let read = self.inner.read(&mut buffer[..room])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends inside this member"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// What opening gave.
pub(super) struct Opened {
    pub(super) inputs: Vec<Input>,
    pub(super) skips: Skips,
    pub(super) empty: Vec<String>,
}

/// Looks into files and finds the inputs in them.
pub(super) struct Opener<'o> {
    options: &'o SourceOptions,
    opened: Opened,
}

impl<'o> Opener<'o> {
    pub(super) fn new(options: &'o SourceOptions, skips: Skips) -> Self {
        Self { options, opened: Opened { inputs: Vec::new(), skips, empty: Vec::new() } }
    }

    pub(super) fn finish(self) -> Opened {
        self.opened
    }

    /// Adds what a regular file holds.
    pub(super) fn file(&mut self, path: &Path) {
        self.place(path.display().to_string(), Place::File(path.to_owned()), Vec::new(), 0);
    }

    /// Adds what a pipe or standard input holds.
    pub(super) fn stream(&mut self, name: &str, reader: Box<dyn Read + Send>) {
        let reader: Box<dyn Read> = if self.options.follow {
            Box::new(follow::Followed::new(reader, self.options.stop.clone()))
        } else {
            reader
        };
        self.place(name.to_owned(), Place::Once(Rc::new(RefCell::new(Some(reader)))), Vec::new(), 0);
    }

    /// Notes an input that cannot be used.
    pub(super) fn problem(&mut self, name: &str, code: &str, reason: String) {
        self.opened.skips.add(SkipDetail {
            input: name.to_owned(),
            line: 0,
            record: String::new(),
            code: code.to_owned(),
            reason,
        });
    }

    fn place(&mut self, name: String, mut place: Place, mut layers: Vec<Layer>, archives: usize) {
        let mut taken_off = 0;
        loop {
            let (head, detected) = match self.look(&mut place, &layers) {
                Ok(found) => found,
                Err(error) => return self.problem(&name, "unreadable", error.to_string()),
            };
            let container = match detected {
                Detected::Container(container) => container,
                Detected::Empty => return self.opened.empty.push(name),
                other => return self.log(name, place, layers, other, &head),
            };
            match container {
                Container::Gzip | Container::Zstd if taken_off < LAYERS => {
                    taken_off += 1;
                    let layer = if container == Container::Gzip { Layer::Gzip } else { Layer::Zstd };
                    match place {
                        // What can be read only once has no layers: they are taken off as they are found.
                        Place::Once(reader) => {
                            let Some(reader) = reader.borrow_mut().take() else { return };
                            let plain = unpack(reader, &[layer], &self.options.unpack);
                            place = Place::Once(Rc::new(RefCell::new(Some(plain))));
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
                    return self.problem(
                        &name,
                        "archive",
                        "an archive in an archive in an archive is not opened".into(),
                    );
                }
                Container::Bzip2 | Container::Xz | Container::SevenZip => {
                    let what = match container {
                        Container::Bzip2 => "bzip2",
                        Container::Xz => "xz",
                        _ => "7z",
                    };
                    return self.problem(&name, "archive", format!("{what} is not read: unpack it first"));
                }
            }
        }
    }

    /// The first bytes of an input and what they say. What can be read only once is put together again.
    fn look(&self, place: &mut Place, layers: &[Layer]) -> io::Result<(Vec<u8>, Detected)> {
        let mut reader = unpack(place.open()?, layers, &self.options.unpack);
        let peeked = peek(&mut reader, self.options.follow);
        let head = match peeked {
            Ok(head) => head,
            Err((head, error)) if head.is_empty() => return Err(error),
            // The error comes again when the input is read; what stands before it is used.
            Err((head, _)) => head,
        };
        let detected = detect(&head);
        if matches!(place, Place::Once(_)) {
            let whole: Box<dyn Read> = Box::new(io::Cursor::new(head.clone()).chain(reader));
            *place = Place::Once(Rc::new(RefCell::new(Some(whole))));
        }
        Ok((head, detected))
    }

    fn log(&mut self, name: String, place: Place, layers: Vec<Layer>, detected: Detected, head: &[u8]) {
        let kind = match (self.options.format, detected) {
            (None, Detected::Text(found)) => Kind::Text(found),
            (None, Detected::Evtx) | (Some(InputFormat::Evtx), _) => Kind::Evtx,
            (Some(InputFormat::Text(format)), Detected::Text(found)) => {
                // How the records follow each other was seen; only what they are is the user's word.
                let framing = if format.is_json() { found.framing } else { format.framing() };
                Kind::Text(Found { format, framing, encoding: found.encoding })
            }
            (Some(InputFormat::Text(format)), _) => {
                Kind::Text(Found { format, framing: format.framing(), encoding: Default::default() })
            }
            (None, _) => {
                let shown: String = String::from_utf8_lossy(&head[..head.len().min(16)]).escape_debug().collect();
                return self.problem(
                    &name,
                    "unknown-format",
                    format!("no known log format; it begins with \"{shown}\" (--input-format says what it is)"),
                );
            }
        };
        self.opened.inputs.push(Input { name: name.into(), kind, place, layers });
    }

    fn archive(&mut self, name: &str, place: &Place, layers: &[Layer], container: Container, archives: usize) {
        let backing = match place {
            Place::File(path) if layers.is_empty() => Backing::Path(path.clone()),
            _ => match self.spool(place, layers) {
                Ok((path, problem)) => {
                    if let Some(problem) = problem {
                        self.problem(name, "archive", problem);
                    }
                    Backing::Spooled(path)
                }
                Err(error) => return self.problem(name, "archive", error.to_string()),
            },
        };
        let backing = Rc::new(backing);
        let listed = match container {
            Container::Zip => zip_members(backing.path()),
            _ => tar_members(backing.path()),
        };
        let (members, problems) = listed.unwrap_or_else(|error| (Vec::new(), vec![(String::new(), error.to_string())]));
        for (member, problem) in problems {
            let whole = if member.is_empty() { name.to_owned() } else { format!("{name}/{member}") };
            self.problem(&whole, "archive", problem);
        }
        for member in members {
            let place = Place::Slice { backing: Rc::clone(&backing), offset: member.offset, length: member.length };
            self.place(format!("{name}/{}", member.name), place, member.layers, archives + 1);
        }
    }

    /// Writes an input to a temporary file, because an archive must be read in any order. The second value says why
    /// it is not whole.
    fn spool(&self, place: &Place, layers: &[Layer]) -> io::Result<(tempfile::TempPath, Option<String>)> {
        let reader = unpack(place.open()?, layers, &self.options.unpack);
        let mut file = tempfile::Builder::new().prefix("backchannel-").tempfile()?;
        let limit = self.options.unpack.spooled;
        let mut reader = reader.take(limit + 1);
        let mut buffer = vec![0; 256 * 1024];
        let mut written = 0u64;
        let problem = loop {
            match reader.read(&mut buffer) {
                Ok(0) => break None,
                Ok(read) => {
                    written += read as u64;
                    if written > limit {
                        break Some(format!("it unpacks to more than {limit} bytes: the rest is left out"));
                    }
                    io::Write::write_all(&mut file, &buffer[..read])?;
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(error) => break Some(format!("{error}: what stands before it is used")),
            }
        };
        Ok((file.into_temp_path(), problem))
    }
}

/// Reads up to [`PEEK`] bytes; when following, no more than it takes to see a whole line.
fn peek(reader: &mut dyn Read, follow: bool) -> Result<Vec<u8>, (Vec<u8>, io::Error)> {
    let mut head = vec![0; PEEK];
    let mut filled = 0;
    let end = loop {
        if filled == head.len() || (follow && head[..filled].contains(&b'\n')) {
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

struct Member {
    name: String,
    offset: u64,
    length: u64,
    layers: Vec<Layer>,
}

/// Members that can be read, and what cannot (member, reason; an empty member: the archive).
type Listed = (Vec<Member>, Vec<(String, String)>);

fn tar_members(path: &Path) -> io::Result<Listed> {
    let mut archive = tar::Archive::new(File::open(path)?);
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

fn zip_members(path: &Path) -> io::Result<Listed> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(File::open(path)?)).map_err(io::Error::from)?;
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
