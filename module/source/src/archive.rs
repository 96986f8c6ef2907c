//! The members of tar and ZIP archives: the place of each one's bytes, and its compression. Nothing is decompressed
//! here.

use std::io;

use crate::bytes::Reader;
use crate::unpack::Layer;

/// Maximum number of members that are read from one archive.
const MEMBERS: usize = 200_000;

/// A readable member.
pub(crate) struct Member {
    pub(crate) name: String,
    /// Offset of its bytes in the archive, and their number.
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) layers: Vec<Layer>,
}

/// Readable members, and problems (member, reason; if the member is empty, the problem is with the archive).
pub(crate) type Listed = (Vec<Member>, Vec<(String, String)>);

/// Lists the members of a tar archive.
pub(crate) fn tar_members(reader: Reader) -> io::Result<Listed> {
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
            problems.push((name, "sparse members are not supported: unpack the archive first".into()));
        } else if (kind.is_file() || kind.is_contiguous()) && !is_hidden(&name) {
            members.push(Member { offset: entry.raw_file_position(), length: entry.size(), layers: Vec::new(), name });
        }
        if members.len() >= MEMBERS {
            problems.push((String::new(), format!("it has more than {MEMBERS} members: the rest is skipped")));
            break;
        }
    }
    Ok((members, problems))
}

/// Lists the members of a ZIP archive.
pub(crate) fn zip_members(reader: Reader) -> io::Result<Listed> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(reader)).map_err(io::Error::from)?;
    let (mut members, mut problems) = (Vec::new(), Vec::new());
    if archive.len() > MEMBERS {
        problems.push((String::new(), format!("it has more than {MEMBERS} members: the rest is skipped")));
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
                problems.push((name, format!("compression method {other} is not supported: unpack the archive first")));
                continue;
            }
        };
        let Some(offset) = member.data_start() else {
            problems.push((name, "the offset of the member is missing".into()));
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
