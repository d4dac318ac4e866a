//! Laying out a hive: cells into bins, in one pass from the root.

use wcow_ntmeta::WideName;

use crate::builder::{HiveBuilder, NewValue, Node};
use crate::format::{
    BASE_BLOCK, BIN_ALIGN, BIN_HEADER, CELL_ALIGN, CELL_HEADER, CHECKSUM_AT, INLINE, NK_HEADER,
    NO_CELL, SEGMENT, VK_COMPRESSED, checksum,
};
use crate::key::KeyFlags;

/// Entries in one `lh` list: as many as fit into a bin of 4096 bytes.
const LIST_ENTRIES: usize = (BIN_ALIGN - BIN_HEADER - CELL_HEADER - 4) / 8;
/// The minor version that is written.
const MINOR: u32 = 5;

/// The bytes of the hive that `builder` describes.
pub(crate) fn hive(builder: &HiveBuilder) -> Vec<u8> {
    let mut writer = Writer {
        bins: Vec::new(),
        next: 0,
        builder,
        security: 0,
        keys: 0,
    };
    let root = writer.allocate(key_size(&builder.root));
    writer.security = writer.allocate(20 + builder.security.len());
    writer.key(
        &builder.root,
        root,
        NO_CELL,
        KeyFlags::HIVE_ENTRY.bits() | KeyFlags::NO_DELETE.bits(),
    );
    writer.security_record();
    writer.finish(root)
}

/// A descriptor that belongs to Administrators and gives SYSTEM and Administrators full access, inherited by subkeys.
pub(crate) fn default_security() -> Vec<u8> {
    const SYSTEM: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    const ADMINISTRATORS: &[u8] = &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
    const KEY_ALL_ACCESS: u32 = 0x000f_003f;
    const CONTAINER_INHERIT: u8 = 2;
    const SELF_RELATIVE_DACL: u16 = 0x8004;
    let header_size = 20;
    let mut aces = Vec::new();
    for sid in [SYSTEM, ADMINISTRATORS] {
        aces.extend([0, CONTAINER_INHERIT]);
        aces.extend(short(8 + sid.len()));
        aces.extend(KEY_ALL_ACCESS.to_le_bytes());
        aces.extend(sid);
    }
    let owner = header_size + 8 + aces.len();
    let mut out = vec![1, 0];
    out.extend(SELF_RELATIVE_DACL.to_le_bytes());
    for offset in [owner, owner + ADMINISTRATORS.len(), 0, header_size] {
        out.extend(long(offset).to_le_bytes());
    }
    out.extend([2, 0]);
    out.extend(short(8 + aces.len()));
    out.extend([2, 0, 0, 0]);
    out.extend(aces);
    out.extend(ADMINISTRATORS);
    out.extend(SYSTEM);
    out
}

struct Writer<'b> {
    bins: Vec<u8>,
    /// Where the free end of the last bin begins.
    next: usize,
    builder: &'b HiveBuilder,
    security: u32,
    keys: u32,
}

impl Writer<'_> {
    /// Takes a cell for `len` bytes of content, in the last bin or in a new one.
    fn allocate(&mut self, len: usize) -> u32 {
        let size = (CELL_HEADER + len).next_multiple_of(CELL_ALIGN);
        if self.bins.len() - self.next < size {
            self.close_bin();
            let start = self.bins.len();
            let bin_size = (BIN_HEADER + size).next_multiple_of(BIN_ALIGN);
            self.bins.resize(start + bin_size, 0);
            self.put(start, b"hbin");
            self.put(start + 4, &long(start).to_le_bytes());
            self.put(start + 8, &long(bin_size).to_le_bytes());
            if start == 0 {
                self.put(20, &self.builder.timestamp.ticks().to_le_bytes());
            }
            self.next = start + BIN_HEADER;
        }
        let at = self.next;
        self.put(at, &long(size).wrapping_neg().to_le_bytes());
        self.next += size;
        long(at)
    }

    /// Makes one free cell of what is left of the last bin.
    fn close_bin(&mut self) {
        let left = self.bins.len() - self.next;
        if left > 0 {
            self.put(self.next, &long(left).to_le_bytes());
            self.next = self.bins.len();
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bins[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn fill(&mut self, cell: u32, content: &[u8]) {
        let at = usize::try_from(cell).unwrap_or(usize::MAX);
        self.put(at + CELL_HEADER, content);
    }

    fn cell(&mut self, content: &[u8]) -> u32 {
        let at = self.allocate(content.len());
        self.fill(at, content);
        at
    }

    /// Writes a key into the cell `at`, and everything below it into new cells.
    fn key(&mut self, node: &Node, at: u32, parent: u32, flags: u16) {
        self.keys += 1;
        let class = match node.class.is_empty() {
            true => NO_CELL,
            false => self.cell(&node.class.to_le_bytes()),
        };
        let values: Vec<u32> = node
            .values
            .values()
            .map(|value| self.value(value))
            .collect();
        let value_list = self.list(&values);
        let mut entries = Vec::with_capacity(node.subkeys.len());
        for (upcased, subkey) in &node.subkeys {
            let subkey_at = self.allocate(key_size(subkey));
            entries.push((subkey_at, name_hash(upcased)));
            self.key(subkey, subkey_at, at, 0);
        }
        let subkey_list = self.subkey_list(&entries);
        let (name, compressed) = stored_name(&node.name);
        let flags = if compressed {
            flags | KeyFlags::COMPRESSED_NAME.bits()
        } else {
            flags
        };
        let largest = |lens: &mut dyn Iterator<Item = usize>| long(lens.max().unwrap_or(0));

        let mut out = Vec::with_capacity(NK_HEADER + name.len());
        out.extend(b"nk");
        out.extend(flags.to_le_bytes());
        out.extend(self.builder.timestamp.ticks().to_le_bytes());
        let fields = [
            0,
            parent,
            long(node.subkeys.len()),
            0,
            subkey_list,
            NO_CELL,
            long(node.values.len()),
            value_list,
            self.security,
            class,
            largest(&mut node.subkeys.values().map(|subkey| subkey.name.len() * 2)),
            largest(&mut node.subkeys.values().map(|subkey| subkey.class.len() * 2)),
            largest(&mut node.values.values().map(|value| value.name.len() * 2)),
            largest(&mut node.values.values().map(|value| value.data.len())),
            0,
        ];
        out.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
        out.extend(short(name.len()));
        out.extend(short(node.class.len() * 2));
        out.extend(name);
        self.fill(at, &out);
    }

    fn value(&mut self, value: &NewValue) -> u32 {
        let mut inline = [0; 4];
        let (size, data) = match value.data.len() {
            len @ 0..=4 => {
                inline[..len].copy_from_slice(&value.data);
                (long(len) | INLINE, u32::from_le_bytes(inline))
            }
            len @ 5..=SEGMENT => (long(len), self.cell(&value.data)),
            len => (long(len), self.big_data(&value.data)),
        };
        let (name, compressed) = stored_name(&value.name);
        let mut out = b"vk".to_vec();
        out.extend(short(name.len()));
        out.extend(
            [size, data, value.kind.code()]
                .iter()
                .flat_map(|field| field.to_le_bytes()),
        );
        out.extend(if compressed { VK_COMPRESSED } else { 0 }.to_le_bytes());
        out.extend([0, 0]);
        out.extend(name);
        self.cell(&out)
    }

    fn big_data(&mut self, data: &[u8]) -> u32 {
        let segments: Vec<u32> = data
            .chunks(SEGMENT)
            .map(|segment| self.segment(segment))
            .collect();
        let list = self.list(&segments);
        let mut out = b"db".to_vec();
        out.extend(short(segments.len()));
        out.extend(list.to_le_bytes());
        self.cell(&out)
    }

    /// Writes a data segment. Windows keeps four bytes behind the data of a full one; so does this.
    fn segment(&mut self, data: &[u8]) -> u32 {
        let at = self.allocate(data.len() + 4);
        self.fill(at, data);
        at
    }

    /// Writes a plain list of offsets.
    fn list(&mut self, offsets: &[u32]) -> u32 {
        if offsets.is_empty() {
            return NO_CELL;
        }
        let bytes: Vec<u8> = offsets
            .iter()
            .flat_map(|offset| offset.to_le_bytes())
            .collect();
        self.cell(&bytes)
    }

    /// Writes an `lh` list, or several and an `ri` list over them.
    fn subkey_list(&mut self, entries: &[(u32, u32)]) -> u32 {
        let mut lists = Vec::new();
        for entries in entries.chunks(LIST_ENTRIES) {
            let mut out = b"lh".to_vec();
            out.extend(short(entries.len()));
            out.extend(
                entries
                    .iter()
                    .flat_map(|&(at, hash)| [at, hash])
                    .flat_map(u32::to_le_bytes),
            );
            lists.push(self.cell(&out));
        }
        match lists[..] {
            [] => NO_CELL,
            [only] => only,
            _ => {
                let mut out = b"ri".to_vec();
                out.extend(short(lists.len()));
                out.extend(lists.iter().flat_map(|list| list.to_le_bytes()));
                self.cell(&out)
            }
        }
    }

    /// Writes the one security record, which is a list of its own.
    fn security_record(&mut self) {
        let mut out = b"sk\0\0".to_vec();
        let size = long(self.builder.security.len());
        out.extend(
            [self.security, self.security, self.keys, size]
                .iter()
                .flat_map(|field| field.to_le_bytes()),
        );
        out.extend(&self.builder.security);
        self.fill(self.security, &out);
    }

    fn finish(mut self, root: u32) -> Vec<u8> {
        self.close_bin();
        let mut out = vec![0; BASE_BLOCK];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"regf");
        put(4, &1u32.to_le_bytes());
        put(8, &1u32.to_le_bytes());
        put(12, &self.builder.timestamp.ticks().to_le_bytes());
        let fields = [1, MINOR, 0, 1, root, long(self.bins.len()), 1];
        for (at, field) in (20..).step_by(4).zip(fields) {
            put(at, &field.to_le_bytes());
        }
        let units = self.builder.name.units();
        let kept = units
            .get(units.len().saturating_sub(31)..)
            .unwrap_or_default();
        for (at, unit) in (48..).step_by(2).zip(kept) {
            put(at, &unit.to_le_bytes());
        }
        let sum = checksum(&out);
        out[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&sum.to_le_bytes());
        out.extend(self.bins);
        out
    }
}

fn key_size(node: &Node) -> usize {
    NK_HEADER + stored_name(&node.name).0.len()
}

/// The stored form of a name, and whether it is the one with a byte per character.
fn stored_name(name: &WideName) -> (Vec<u8>, bool) {
    let bytes: Result<Vec<u8>, _> = name
        .units()
        .iter()
        .map(|&unit| u8::try_from(unit))
        .collect();
    match bytes {
        Ok(bytes) => (bytes, true),
        Err(_) => (name.to_le_bytes(), false),
    }
}

/// The hash in an `lh` list, of a name that is upper-case already.
fn name_hash(upcased: &[u16]) -> u32 {
    upcased.iter().fold(0u32, |hash, &unit| {
        hash.wrapping_mul(37).wrapping_add(u32::from(unit))
    })
}

/// A size or offset; the builder takes no more content than 32 bits can count.
fn long(len: usize) -> u32 {
    u32::try_from(len).expect("the builder refuses content that could make a hive of 2 GiB")
}

/// A count or name size, little-endian; the builder refuses longer names, and lists are split before.
fn short(len: usize) -> [u8; 2] {
    u16::try_from(len)
        .expect("the builder refuses names and data that 16 bits cannot count")
        .to_le_bytes()
}
