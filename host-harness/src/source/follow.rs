//! Streams that are still being written: reads time out, so that events already read are evaluated without delay.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use backchannel_source::Pace;

/// Timeout of a read. A batch is delayed by at most twice this: for its first event, and for the read after it.
const READ_TIMEOUT: Duration = Duration::from_millis(100);

/// Ends a batch after [`READ_TIMEOUT`], even if the stream always has more to read.
#[derive(Debug, Default)]
pub(super) struct TimedPace {
    /// When the first event of the current batch may have arrived.
    waiting: Option<Instant>,
}

impl Pace for TimedPace {
    fn is_over(&mut self) -> bool {
        self.waiting.get_or_insert_with(Instant::now).elapsed() >= READ_TIMEOUT
    }

    fn restart(&mut self) {
        self.waiting = None;
    }
}

/// Ends a stream: everything read so far is evaluated, the rest stays unread.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Requests the end.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A reader that returns [`io::ErrorKind::WouldBlock`] if no data arrived for [`READ_TIMEOUT`].
pub(super) struct Followed {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    stop: Stop,
}

impl Followed {
    pub(super) fn new(mut reader: Box<dyn Read + Send>, stop: Stop) -> Self {
        // A small bound: a writer faster than the evaluation has to wait.
        let (sender, pieces) = sync_channel(4);
        // The thread may block in a read forever; it ends with the program.
        std::thread::spawn(move || {
            loop {
                let mut buffer = vec![0; 64 * 1024];
                let piece = match reader.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(read) => {
                        buffer.truncate(read);
                        Ok(buffer)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = piece.is_err();
                if sender.send(piece).is_err() || failed {
                    return;
                }
            }
        });
        Self { pieces, piece: Vec::new(), at: 0, stop }
    }
}

impl Read for Followed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            if self.stop.is_asked() {
                return Ok(0);
            }
            self.piece = match self.pieces.recv_timeout(READ_TIMEOUT) {
                Ok(piece) => piece?,
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            };
            self.at = 0;
        }
        let read = buffer.len().min(self.piece.len() - self.at);
        buffer[..read].copy_from_slice(&self.piece[self.at..self.at + read]);
        self.at += read;
        Ok(read)
    }
}
