//! Records that an engine has read, kept for as long as their files stay as they are.
//!
//! Most commands look through all records, and most records stay the same from one command to the next. A list of the folder tells
//! length and write time of each file; a record whose file has both as before is not read again. A program that runs one command reads
//! each record once, one that stays reads those that have changed.
//!
//! A file system may give two writes the same time, if they come within one tick of its clock. So a record is kept only if its file had
//! not been written to for [`SETTLED`] when it was listed. Who changes a record reads it anew when its object is locked, whatever is
//! kept here.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use wcow_host::{DirEntry, FileMetadata};
use wcow_ntmeta::{FileTime, WideName};

use crate::records::{Record, Versioned};

/// For how long a file must not have been written to, in ticks of 100 ns: one second, far more than a tick of a clock.
const SETTLED: u64 = 10_000_000;

/// A record that others may hold too.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T>(Arc<Versioned<T>>);

impl<T> From<Arc<Versioned<T>>> for Kept<T> {
    fn from(record: Arc<Versioned<T>>) -> Self {
        Self(record)
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.record
    }
}

impl<T: Record> Kept<T> {
    /// The record for oneself.
    pub(crate) fn into_inner(self) -> T {
        self.0.record.clone()
    }
}

/// What a folder's list said of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    written: FileTime,
}

impl From<&FileMetadata> for Stamp {
    fn from(metadata: &FileMetadata) -> Self {
        Self {
            len: metadata.len,
            written: metadata.written,
        }
    }
}

/// What the file of a record was like when it was read, and the record.
type Reading = (Stamp, Arc<dyn Any + Send + Sync>);

/// The records of one folder, by file name.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashMap<WideName, Reading>>);

impl Known {
    /// The record in a file that the folder's list has just told of, if it was read when the list said the same.
    pub(crate) fn find<T: Record>(
        &self,
        name: &WideName,
        metadata: &FileMetadata,
    ) -> Option<Kept<T>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (stamp, record) = known.get(name)?;
        let same = (*stamp == metadata.into()).then(|| Arc::clone(record))?;
        same.downcast().ok().map(Kept)
    }

    /// Keeps a record that was read after a list said this of its file, at the time `listed`.
    pub(crate) fn keep<T: Record>(
        &self,
        name: &WideName,
        metadata: &FileMetadata,
        listed: FileTime,
        record: &Kept<T>,
    ) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = listed.ticks().checked_sub(metadata.written.ticks());
        if age.is_some_and(|age| age >= SETTLED) {
            let record: Arc<Versioned<T>> = Arc::clone(&record.0);
            known.insert(name.clone(), (metadata.into(), record));
        } else {
            known.remove(name);
        }
    }

    /// Forgets the records of files that are not in the folder's list any more, if there are more than `records`: so many are there.
    pub(crate) fn trim(&self, records: usize, listed: &[DirEntry]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > records {
            let there: HashSet<&WideName> = listed.iter().map(|entry| &entry.name).collect();
            known.retain(|name, _| there.contains(name));
        }
    }
}
