//! One blob, read by several workers.

use std::ops::ControlFlow;

use wcow_tree::Digest;

use crate::read::{Consumer, read_items};
use crate::{ReadError, Wim};

/// Takes the bytes of a blob, in order, until it breaks.
type Receive<'a> = &'a mut (dyn FnMut(&[u8]) -> ControlFlow<()> + Send);

impl Wim {
    /// Sends the bytes of a blob to `receive`, as [`read_blob`](Self::read_blob) does, but decodes its chunks on as many workers as
    /// [`Options::workers`](crate::Options::workers) says: faster for a blob of many chunks, not for a small one.
    ///
    /// # Errors
    /// As for [`read_blob`](Self::read_blob).
    pub fn send_blob(&self, digest: &Digest, receive: Receive<'_>) -> Result<(), ReadError> {
        self.check_readable()?;
        let Some(item) = self.locate(digest) else {
            return self.read_blob(digest, receive);
        };
        let mut forward = Forward {
            receive,
            result: Err(ReadError::Stopped),
        };
        // A break is the receiver's, and then the result is still that it stopped.
        let _ = read_items(
            self.files(),
            vec![item],
            false,
            self.options().workers,
            &mut self.output_budget(),
            self.pool(),
            &mut forward,
        );
        forward.result
    }
}

struct Forward<'r> {
    receive: Receive<'r>,
    result: Result<(), ReadError>,
}

impl Consumer for Forward<'_> {
    fn begin(&mut self, _: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        (self.receive)(bytes)
    }

    fn end(&mut self, _: usize, result: Result<(), ReadError>) -> ControlFlow<()> {
        self.result = result;
        ControlFlow::Continue(())
    }

    fn progress(&mut self, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
