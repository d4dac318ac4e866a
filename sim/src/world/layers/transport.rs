//! The form in which layers travel: what `ImportLayer` takes and `ExportLayer` gives.
//!
//! | in the folder | what it is |
//! |---|---|
//! | a file below `Files` | attributes (4 bytes, little-endian), then Win32 backup streams |
//! | `<directory>.$wcidirs$` beside a directory | the same for the directory |
//! | a file below `Hives`, or in the root | as it is |
//! | `tombstones.txt` | UTF-8 with a byte order mark; `Version 1.0`, then a path below `Files` a line, with `\` in front |
//!
//! A backup stream has a header: id (4 bytes), attributes (4), size (8), length of its name in bytes (4), the name in UTF-16. Ids
//! that are read: data 1, security 3, alternate data 4 (named `:name:$DATA`), reparse data 8, a block of sparse data 9 (its first
//! 8 bytes say where it belongs). Others (extended attributes, links, object ids) are passed over.

use wcow_ntmeta::{FileAttributes, RelPath, ReparsePoint, SecurityDescriptor, WideName};

/// What comes behind the name of a directory for the file that describes it.
pub(super) const DIRECTORY_SUFFIX: &str = ".$wcidirs$";
/// The file that names what a layer takes away.
pub(super) const TOMBSTONES: &str = "tombstones.txt";

const DATA: u32 = 1;
const SECURITY: u32 = 3;
const ALTERNATE_DATA: u32 = 4;
const REPARSE: u32 = 8;
const SPARSE_BLOCK: u32 = 9;
const HEADER: usize = 20;
const BYTE_ORDER_MARK: &str = "\u{feff}";
const VERSION: &str = "Version 1.0";
/// The longest file that is put together from blocks of sparse data, in bytes.
const LONGEST_SPARSE: usize = 64 << 20;

/// A file or directory, as its backup streams describe it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) attributes: FileAttributes,
    pub(super) security: Option<SecurityDescriptor>,
    pub(super) reparse: Option<ReparsePoint>,
    /// The unnamed stream.
    pub(super) data: Vec<u8>,
    /// Alternate data streams, by name.
    pub(super) streams: Vec<(WideName, Vec<u8>)>,
}

/// Reads a file of this form; `None` if it is not in it.
pub(super) fn decode(bytes: &[u8]) -> Option<Described> {
    let (attributes, mut rest) = split_u32(bytes)?;
    let mut described = Described {
        attributes: FileAttributes::from_bits(attributes),
        ..Described::default()
    };
    while !rest.is_empty() {
        let stream;
        (stream, rest) = next_stream(rest)?;
        match stream.id {
            DATA => described.data.extend_from_slice(stream.bytes),
            SECURITY => {
                described.security = Some(SecurityDescriptor::parse(stream.bytes.to_vec()).ok()?);
            }
            ALTERNATE_DATA => described
                .streams
                .push((stream_name(stream.name)?, stream.bytes.to_vec())),
            REPARSE => described.reparse = Some(reparse(stream.bytes)?),
            SPARSE_BLOCK => {
                let (at, block) = stream.bytes.split_first_chunk::<8>()?;
                let at = usize::try_from(u64::from_le_bytes(*at)).ok()?;
                let end = at.checked_add(block.len())?;
                if at < described.data.len() || end > LONGEST_SPARSE {
                    return None;
                }
                described.data.resize(at, 0);
                described.data.extend_from_slice(block);
            }
            _ => {}
        }
    }
    Some(described)
}

/// A file of this form with these attributes and, if it has any, contents.
pub(super) fn encode(attributes: FileAttributes, data: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = attributes.bits().to_le_bytes().to_vec();
    if let Some(data) = data {
        bytes.extend(DATA.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend((data.len() as u64).to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(data);
    }
    bytes
}

/// The paths below `Files` that a tombstone file names; `None` if it does not begin as such a file does.
pub(super) fn read_tombstones(bytes: &[u8]) -> Option<Vec<RelPath>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.trim_start_matches(BYTE_ORDER_MARK).lines();
    if lines.next()?.trim_end() != VERSION {
        return None;
    }
    let paths = lines.map(str::trim_end).filter(|line| !line.is_empty());
    Some(
        paths
            .map(|line| RelPath::parse(line.trim_start_matches('\\')))
            .filter(|path| !path.is_root())
            .collect(),
    )
}

/// A tombstone file.
pub(super) fn write_tombstones<'p>(paths: impl Iterator<Item = &'p RelPath>) -> Vec<u8> {
    let mut text = format!("{BYTE_ORDER_MARK}{VERSION}\n");
    for path in paths {
        text.push_str(&format!("\\{path}\n"));
    }
    text.into_bytes()
}

struct Stream<'b> {
    id: u32,
    name: &'b [u8],
    bytes: &'b [u8],
}

fn next_stream(bytes: &[u8]) -> Option<(Stream<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let (id, header) = split_u32(header)?;
    let (_attributes, header) = split_u32(header)?;
    let (size, header) = header.split_first_chunk::<8>()?;
    let (name_len, _) = split_u32(header)?;
    let (name, rest) = rest.split_at_checked(usize::try_from(name_len).ok()?)?;
    let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
    let (bytes, rest) = rest.split_at_checked(size)?;
    Some((Stream { id, name, bytes }, rest))
}

fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

/// The name of an alternate data stream out of `:name:$DATA`.
fn stream_name(bytes: &[u8]) -> Option<WideName> {
    let name = WideName::from_le_bytes(bytes)?;
    let colon = u16::from(b':');
    let rest = name.units().strip_prefix(&[colon])?;
    let end = rest.iter().position(|unit| *unit == colon)?;
    Some(WideName::from_units(rest.get(..end)?.to_vec()))
}

/// A reparse point with its header: tag, length, two reserved bytes.
fn reparse(bytes: &[u8]) -> Option<ReparsePoint> {
    let (tag, rest) = split_u32(bytes)?;
    let (_length_and_reserved, data) = split_u32(rest)?;
    Some(ReparsePoint {
        tag,
        data: data.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(id: u32, name: &str, data: &[u8]) -> Vec<u8> {
        let name = WideName::from(name).to_le_bytes();
        let mut bytes = id.to_le_bytes().to_vec();
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend((data.len() as u64).to_le_bytes());
        bytes.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        bytes.extend(name);
        bytes.extend(data);
        bytes
    }

    #[test]
    fn a_file_is_read_back_as_it_was_written() {
        for data in [&b""[..], b"bytes"] {
            let read = decode(&encode(FileAttributes::ARCHIVE, Some(data))).unwrap();
            assert_eq!(read.attributes, FileAttributes::ARCHIVE);
            assert_eq!(read.data, data);
        }
        let directory = encode(FileAttributes::DIRECTORY, None);
        assert_eq!(directory, [16, 0, 0, 0]);
    }

    #[test]
    fn all_streams_are_read_and_unknown_ones_passed_over() {
        let security = SecurityDescriptor::from_sddl("O:BAG:SYD:(A;;FA;;;BA)").unwrap();
        let mut file = 32_u32.to_le_bytes().to_vec();
        file.extend(stream(SECURITY, "", security.as_bytes()));
        file.extend(stream(2, "", b"extended attributes"));
        file.extend(stream(REPARSE, "", &[3, 0, 0, 0xA0, 2, 0, 0, 0, 7, 7]));
        file.extend(stream(DATA, "", b"ab"));
        file.extend(stream(SPARSE_BLOCK, "", &[4, 0, 0, 0, 0, 0, 0, 0, b'c']));
        file.extend(stream(ALTERNATE_DATA, ":mark:$DATA", b"x"));
        let read = decode(&file).unwrap();
        assert_eq!(read.security, Some(security));
        assert_eq!(read.data, b"ab\0\0c");
        assert_eq!(read.streams, [("mark".into(), b"x".to_vec())]);
        let reparse = read.reparse.unwrap();
        assert_eq!((reparse.tag, &*reparse.data), (0xA000_0003, &[7_u8, 7][..]));
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let mut file = encode(FileAttributes::ARCHIVE, Some(b"bytes"));
        file.extend(stream(ALTERNATE_DATA, ":mark:$DATA", b"x"));
        let ends = [4, 4 + 20 + 5];
        for len in 0..file.len() {
            assert_eq!(decode(&file[..len]).is_some(), ends.contains(&len), "{len}");
        }
        let mut huge = encode(FileAttributes::ARCHIVE, None);
        huge.extend(stream(SPARSE_BLOCK, "", &[255; 9]));
        assert_eq!(decode(&huge), None);
        let mut unnamed = encode(FileAttributes::ARCHIVE, None);
        unnamed.extend(stream(ALTERNATE_DATA, "mark", b"x"));
        assert_eq!(decode(&unnamed), None);
    }

    #[test]
    fn tombstones_are_lines_under_a_version() {
        let paths = [RelPath::parse(r"Docs\old.txt"), RelPath::parse("new")];
        let written = write_tombstones(paths.iter());
        assert!(written.starts_with("\u{feff}Version 1.0\n\\Docs\\old.txt\n".as_bytes()));
        assert_eq!(read_tombstones(&written), Some(paths.to_vec()));
        assert_eq!(
            read_tombstones(b"Version 1.0\r\n\\a\r\n\r\n\\\r\n")
                .unwrap()
                .len(),
            1
        );
        for wrong in [&b""[..], b"Version 2.0\n", b"\\a\n", b"Version 1.0 \xff"] {
            assert_eq!(read_tombstones(wrong), None, "{wrong:?}");
        }
    }
}
