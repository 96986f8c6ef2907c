//! An input: one log that was found and recognised, and can be opened.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backchannel_decode::Found;

use crate::bytes::{Bytes, Reader};
use crate::unpack::{Layer, UnpackLimits, unpack};

/// Kind of contents of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text(Found),
    Evtx,
}

/// One log, ready to be read.
pub(crate) struct Input {
    pub(crate) name: Rc<str>,
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    pub(crate) layers: Vec<Layer>,
}

/// Location of an input's bytes.
#[derive(Clone)]
pub(crate) enum Place {
    Whole(Rc<dyn Bytes>),
    /// A member of an archive that is not compressed itself.
    Part {
        archive: Rc<dyn Bytes>,
        offset: u64,
        length: u64,
    },
    /// A stream that can be read once.
    Once(Rc<RefCell<Option<Box<dyn Read>>>>),
}

impl Input {
    /// Whether it can be read more than once.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self.place, Place::Once(_))
    }

    /// Its stored size in bytes, before decompression; 0 if it is not known.
    pub(crate) fn size(&self) -> u64 {
        match &self.place {
            Place::Whole(bytes) => bytes.size(),
            Place::Part { length, .. } => *length,
            Place::Once(_) => 0,
        }
    }

    /// Opens it as a decompressed stream. The number of stored bytes read is added to `progress`.
    pub(crate) fn read(&self, limits: &UnpackLimits, progress: &Arc<AtomicU64>) -> io::Result<Box<dyn Read>> {
        let raw = Box::new(Counted { inner: self.place.open()?, read: Arc::clone(progress) });
        Ok(unpack(raw, &self.layers, limits))
    }
}

impl Place {
    /// An input that can be read once.
    pub(crate) fn once(reader: Box<dyn Read>) -> Self {
        Self::Once(Rc::new(RefCell::new(Some(reader))))
    }

    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Whole(bytes) => Ok(Box::new(Reader::whole(Rc::clone(bytes)))),
            Self::Part { archive, offset, length } => Ok(Box::new(Reader::part(Rc::clone(archive), *offset, *length))),
            Self::Once(reader) => {
                reader.borrow_mut().take().ok_or_else(|| io::Error::other("it can be read only once"))
            }
        }
    }
}

struct Counted {
    inner: Box<dyn Read>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
