//! One chunk: its records and its header.

use crate::binxml::{BinXml, Heads, RECORDS_AT};
use crate::event::{Event, Value};
use crate::template;

/// The size of every chunk, in bytes.
pub(crate) const CHUNK_SIZE: usize = 65536;

/// Offset of the flags in a chunk's header; neither they nor the checksum are part of the checksum.
const FLAGS_AT: usize = 120;
const HEADER_CRC_AT: usize = 124;

/// A chunk that is being filled.
pub(crate) struct Chunk {
    xml: BinXml,
    first_number: u64,
    next_number: u64,
    last_record_at: usize,
}

impl Chunk {
    /// An empty chunk whose first record has this number.
    pub(crate) fn new(first_number: u64) -> Self {
        Chunk { xml: BinXml::new(), first_number, next_number: first_number, last_record_at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.next_number == self.first_number
    }

    /// The number of the next record.
    pub(crate) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Adds a record. If it does not fit, the chunk is unchanged and the size of the record is returned.
    pub(crate) fn push(&mut self, event: &Event<'_>) -> Result<(), usize> {
        let (at, heads) = (self.xml.bytes.len(), self.xml.heads);
        self.xml.bytes.extend_from_slice(b"**\0\0\0\0\0\0");
        self.xml.bytes.extend_from_slice(&self.next_number.to_le_bytes());
        Value::time(event.time_ns).store(&mut self.xml.bytes);
        template::write(&mut self.xml, event);

        let bytes = &mut self.xml.bytes;
        // A record ends with its size, aligned so that the next record starts at a multiple of 8.
        bytes.resize((bytes.len() + 4).next_multiple_of(8) - 4, 0);
        let size = bytes.len() + 4 - at;
        if at + size > CHUNK_SIZE {
            self.xml.undo(at, heads);
            return Err(size);
        }
        bytes.extend_from_slice(&(size as u32).to_le_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&(size as u32).to_le_bytes());
        self.last_record_at = at;
        self.next_number += 1;
        Ok(())
    }

    /// The finished chunk. It must not be empty.
    pub(crate) fn seal(self) -> Vec<u8> {
        let Heads { names, templates } = self.xml.heads;
        let mut bytes = self.xml.bytes;
        let free_at = bytes.len();
        let last_number = self.next_number - 1;

        let mut header = Vec::with_capacity(RECORDS_AT);
        header.extend_from_slice(b"ElfChnk\0");
        // By number, then by ID: in files written here they are the same.
        for number in [self.first_number, last_number, self.first_number, last_number] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        let records_crc = crc32fast::hash(&bytes[RECORDS_AT..]);
        for number in [128, self.last_record_at as u32, free_at as u32, records_crc] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        header.resize(HEADER_CRC_AT + 4, 0);
        header.extend(names.iter().chain(&templates).flat_map(|offset| offset.to_le_bytes()));

        let mut crc = crc32fast::Hasher::new();
        crc.update(&header[..FLAGS_AT]);
        crc.update(&header[HEADER_CRC_AT + 4..]);
        header[HEADER_CRC_AT..HEADER_CRC_AT + 4].copy_from_slice(&crc.finalize().to_le_bytes());
        bytes[..RECORDS_AT].copy_from_slice(&header);
        bytes.resize(CHUNK_SIZE, 0);
        bytes
    }
}
