//! What the disk does not keep of an entry.

use wcow_ntmeta::{FileAttributes, FileTime};

use super::{DiskSink, as_u64};
use crate::Entry;

impl DiskSink {
    /// Counts what an entry has that the disk does not keep.
    pub(super) fn count_not_kept(&mut self, entry: &Entry) {
        let kept = FileAttributes::DIRECTORY
            | FileAttributes::ARCHIVE
            | FileAttributes::NORMAL
            | FileAttributes::REPARSE_POINT;
        let places = self.places();
        let mut other = entry.attributes;
        other.remove(kept | places.attributes());
        let reparse = match &entry.reparse {
            Some(reparse) => reparse.target().is_none() && !places.reparse_points,
            None => entry.attributes.is_reparse_point(),
        };
        let extra = &entry.extra;
        let has_extra = !((places.object_ids || extra.object_id.is_empty())
            && (places.extended_attributes || extra.extended_attributes.is_empty())
            && extra.unknown.is_empty());
        let takes_streams = places.named_streams && !is_link(entry);
        let named = entry
            .streams
            .iter()
            .filter(|stream| !stream.name.is_empty() && !takes_streams)
            .count();

        let not_kept = &mut self.report.not_kept;
        not_kept.attributes += u64::from(!other.is_empty());
        not_kept.creation_times +=
            u64::from(!places.basic && entry.times.created != FileTime::ZERO);
        not_kept.security += u64::from(!places.security && entry.security.is_some());
        not_kept.short_names += u64::from(!places.basic && !entry.short_name.is_empty());
        not_kept.named_streams += as_u64(named);
        not_kept.reparse_points += u64::from(reparse);
        not_kept.extra += u64::from(has_extra);
    }
}

/// Whether the entry leads somewhere else.
pub(super) fn is_link(entry: &Entry) -> bool {
    let target = entry.reparse.as_ref().and_then(|reparse| reparse.target());
    target.is_some()
}
