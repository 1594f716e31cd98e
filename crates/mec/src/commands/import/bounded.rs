//! A reader that gives up where one row does not end: memory must not grow with the file.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// The longest row, in bytes.
pub const MAX_ROW_BYTES: usize = 64 * 1024;
/// What a reader may have taken in beyond the row.
const BUFFER_BYTES: usize = 16 * 1024;

/// So many bytes may still be read before a row must end.
#[derive(Clone)]
pub struct Allowance(Rc<Cell<usize>>);

impl Allowance {
    pub fn new() -> Self {
        Self(Rc::new(Cell::new(MAX_ROW_BYTES + BUFFER_BYTES)))
    }

    /// A row has ended.
    pub fn renew(&self) {
        self.0.set(MAX_ROW_BYTES + BUFFER_BYTES);
    }
}

pub struct Bounded<R> {
    pub inner: R,
    pub allowance: Allowance,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.0.get();
        if left == 0 {
            return Err(io::Error::other(format!(
                "a row is longer than {MAX_ROW_BYTES} bytes; is a quote not closed?"
            )));
        }
        let count = self.inner.read(buffer)?;
        self.allowance.0.set(left.saturating_sub(count));
        Ok(count)
    }
}
