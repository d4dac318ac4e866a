//! What a file says of its own tables and solid resources, for those who show it.

use crate::integrity::IntegrityTable;
use crate::layout::Layout;
use crate::{Compression, Header, ImageIndex, IntegrityError, ReadError, ResourceHeader, Wim};

/// A solid resource, and how it is compressed.
#[derive(Debug)]
#[non_exhaustive]
pub struct SolidResource {
    /// Which part of a split set it is in, from 1.
    pub part: u16,
    /// Where it is in that part. Its size there is a mark, and not how many bytes it has.
    pub resource: ResourceHeader,
    /// What its own header says, or why that makes no sense.
    pub form: Result<SolidForm, ReadError>,
}

/// What the header of a solid resource says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SolidForm {
    /// How it is compressed.
    pub compression: Compression,
    /// Uncompressed bytes of each chunk but the last.
    pub chunk_size: u64,
    /// Uncompressed bytes of all of it.
    pub size: u64,
}

/// What an integrity table covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntegritySummary {
    /// Bytes of each piece but the last.
    pub piece_size: u64,
    /// How many pieces there are.
    pub pieces: u64,
    /// Bytes that they cover.
    pub covered: u64,
}

impl Wim {
    /// The solid resources of all parts at hand. Only their headers and chunk tables are read.
    #[must_use]
    pub fn solid_resources(&self) -> Vec<SolidResource> {
        let files = self.own_files().iter();
        let resources = files.flat_map(|file| {
            let headers = file.solid_runs.iter().flatten();
            headers.map(move |resource| {
                let layout = Layout::solid(&file.input, resource, u64::MAX);
                SolidResource {
                    part: file.header.part,
                    resource: *resource,
                    form: layout.map(|layout| SolidForm {
                        compression: layout.codec.compression,
                        chunk_size: layout.chunk_size,
                        size: layout.size,
                    }),
                }
            })
        });
        resources.collect()
    }

    /// The integrity tables of the parts at hand that have one, each with its part's header. Nothing is checked with them: that is
    /// what [`verifier`](Self::verifier) does.
    pub fn integrity_tables(
        &self,
    ) -> impl Iterator<Item = (&Header, Result<IntegritySummary, IntegrityError>)> {
        let files = self.own_files().iter();
        let with_table = files.filter(|file| file.header.has_integrity_table());
        with_table.map(|file| {
            let table = IntegrityTable::read(&file.input, &file.header);
            (&file.header, table.map(|table| table.summary()))
        })
    }

    /// Where the metadata of an image is; `None` if there is no such image, or not in the parts at hand.
    #[must_use]
    pub fn metadata_resource(&self, index: ImageIndex) -> Option<ResourceHeader> {
        self.metadata_row(index).map(|row| row.resource)
    }
}
