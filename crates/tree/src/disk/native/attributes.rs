//! Attributes and extended attributes, as Windows takes them.

use wcow_ntmeta::{FileAttributes, ReparsePoint};

/// Attributes that are set as bits. Others have a call of their own, follow from what a file is, or are the system's to set.
pub(super) const PLAIN: FileAttributes = FileAttributes::from_bits(
    FileAttributes::READONLY.bits()
        | FileAttributes::HIDDEN.bits()
        | FileAttributes::SYSTEM.bits()
        | FileAttributes::ARCHIVE.bits()
        | FileAttributes::NORMAL.bits()
        | FileAttributes::TEMPORARY.bits()
        | FileAttributes::OFFLINE.bits()
        | FileAttributes::NOT_CONTENT_INDEXED.bits()
        | FileAttributes::PINNED.bits()
        | FileAttributes::UNPINNED.bits(),
);

/// The bits to set. `NORMAL` stands for none and nothing else; a directory cannot be temporary.
pub(super) fn bits(attributes: FileAttributes) -> u32 {
    let mut wanted = FileAttributes::from_bits(attributes.bits() & PLAIN.bits());
    wanted.remove(FileAttributes::NORMAL);
    if attributes.is_directory() {
        wanted.remove(FileAttributes::TEMPORARY);
    }
    if wanted.is_empty() {
        wanted = FileAttributes::NORMAL;
    }
    wanted.bits()
}

/// The buffer by which a reparse point is set ([MS-FSCC] 2.1.2); `None` if it would be too long, or a tag that is not Microsoft's
/// comes without the GUID that its data begins with.
pub(in crate::disk) fn reparse_buffer(reparse: &ReparsePoint) -> Option<Vec<u8>> {
    const MICROSOFT: u32 = 0x8000_0000;
    const GUID: usize = 16;
    const MAX: usize = 16 * 1024;
    let length = if reparse.tag & MICROSOFT == 0 {
        reparse.data.len().checked_sub(GUID)?
    } else {
        reparse.data.len()
    };
    let mut buffer = reparse.tag.to_le_bytes().to_vec();
    buffer.extend(u16::try_from(length).ok()?.to_le_bytes());
    buffer.extend([0; 2]);
    buffer.extend(&reparse.data);
    (buffer.len() <= MAX).then_some(buffer)
}

/// Extended attributes of a WIM as a chain of `FILE_FULL_EA_INFORMATION` ([MS-FSCC] 2.4.15); `None` if they are cut off.
///
/// A WIM has them without padding and offsets: `u16` length of the value, `u8` length of the name, `u8` flags, the name with a NUL,
/// the value.
pub(super) fn extended_attributes(stored: &[u8]) -> Option<Vec<u8>> {
    let mut chain = Vec::with_capacity(stored.len() * 2);
    let mut rest = stored;
    while let Some(([low, high, name_length, flags], after)) = rest.split_first_chunk::<4>() {
        let value = usize::from(u16::from_le_bytes([*low, *high]));
        let (body, after) = after.split_at_checked(usize::from(*name_length) + 1 + value)?;
        let size = 8 + body.len();
        let padded = size.next_multiple_of(4);
        let next = if after.is_empty() { 0 } else { padded };
        chain.extend(u32::try_from(next).ok()?.to_le_bytes());
        chain.extend([*flags, *name_length, *low, *high]);
        chain.extend(body);
        if next != 0 {
            chain.resize(chain.len() + padded - size, 0);
        }
        rest = after;
    }
    (rest.is_empty() && !chain.is_empty()).then_some(chain)
}

/// An object id as a `FILE_OBJECTID_BUFFER`: the ids of its birth are zero where there are none.
pub(super) fn object_id(stored: &[u8]) -> Option<Box<[u8; 64]>> {
    let mut whole = Box::new([0; 64]);
    let fits = (16..=64).contains(&stored.len());
    whole
        .iter_mut()
        .zip(stored)
        .for_each(|(to, from)| *to = *from);
    fits.then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_that_windows_takes() {
        #[track_caller]
        fn check(attributes: FileAttributes, expected: u32) {
            assert_eq!(bits(attributes), expected);
        }
        type A = FileAttributes;
        check(A::default(), 0x80);
        check(A::NORMAL, 0x80);
        check(A::NORMAL | A::HIDDEN, 0x2);
        check(A::DIRECTORY, 0x80);
        check(A::DIRECTORY | A::TEMPORARY | A::READONLY, 0x1);
        check(A::TEMPORARY | A::REPARSE_POINT | A::COMPRESSED, 0x100);
        check(A::ENCRYPTED | A::SPARSE_FILE, 0x80);
    }

    #[test]
    fn a_reparse_buffer_tells_the_length_without_the_guid() {
        let point = |tag, length| ReparsePoint {
            tag,
            data: vec![9; length],
        };
        let of_microsoft = reparse_buffer(&point(0xA000_0003, 20)).expect("short");
        assert_eq!(
            of_microsoft.get(..8),
            Some(&[3, 0, 0, 0xA0, 20, 0, 0, 0][..])
        );
        assert_eq!(of_microsoft.len(), 28);
        let of_others = reparse_buffer(&point(0x0000_0042, 20)).expect("short");
        assert_eq!(of_others.get(..8), Some(&[0x42, 0, 0, 0, 4, 0, 0, 0][..]));
        assert_eq!(reparse_buffer(&point(0x0000_0042, 15)), None);
        assert!(reparse_buffer(&point(0xA000_0003, 16 * 1024 - 8)).is_some());
        assert_eq!(reparse_buffer(&point(0xA000_0003, 16 * 1024 - 7)), None);
    }

    #[test]
    fn extended_attributes_become_a_chain() {
        // A=xy, and BB with flag 0x80 and no value.
        let stored = b"\x02\0\x01\0A\0xy\0\0\x02\x80BB\0";
        let chain = extended_attributes(stored).expect("whole");
        let expected: &[u8] = b"\x0c\0\0\0\0\x01\x02\0A\0xy\0\0\0\0\x80\x02\0\0BB\0";
        assert_eq!(chain, expected);
        // The second begins at a multiple of four.
        let odd = extended_attributes(b"\x01\0\x01\0A\0x\0\0\x01\0B\0").expect("whole");
        assert_eq!(odd.get(..4), Some(&[12, 0, 0, 0][..]));
        assert_eq!(odd.len(), 12 + 10);
        for cut in 1..stored.len() {
            let cut_off = stored.get(..cut).expect("shorter");
            assert_eq!(extended_attributes(cut_off).is_some(), cut == 8, "{cut}");
        }
        assert_eq!(extended_attributes(&[]), None);
    }

    #[test]
    fn object_ids_have_16_to_64_bytes() {
        let id = object_id(&[7; 16]).expect("long enough");
        assert_eq!((id.first(), id.get(16)), (Some(&7), Some(&0)));
        assert!(object_id(&[7; 64]).is_some());
        assert!(object_id(&[7; 15]).is_none() && object_id(&[7; 65]).is_none());
    }
}
