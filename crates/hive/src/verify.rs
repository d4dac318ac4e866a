//! The walk over a whole hive that accepts it, or refuses it at the first thing that is wrong.

use std::collections::BTreeMap;

use crate::cell::{Bins, CellOffset, u32_at};
use crate::error::HiveError;
use crate::format::{BASE_BLOCK, BIN_ALIGN, BIN_HEADER, CELL_ALIGN};
use crate::hive::Hive;
use crate::key::{Key, Security, Subkeys};

/// How much a hive may hold. The default is far above what Windows' own hives hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of keys, the root included. Windows allows 512.
    pub depth: usize,
    /// Keys in all.
    pub keys: u64,
    /// Values in all.
    pub values: u64,
    /// Bytes of value data in all.
    pub data: u64,
}

/// What a hive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Hive bins.
    pub bins: u64,
    /// Cells that are allocated.
    pub allocated_cells: u64,
    /// Cells that are free.
    pub free_cells: u64,
    /// Bytes in free cells.
    pub free_bytes: u64,
    /// Allocated cells that nothing refers to. Harmless: Windows leaves some behind after a crash.
    pub unreferenced_cells: u64,
    /// Keys, the root included.
    pub keys: u64,
    /// Levels of keys, the root included.
    pub depth: usize,
    /// Values.
    pub values: u64,
    /// Bytes of value data.
    pub data: u64,
    /// Security descriptors that keys refer to.
    pub security_descriptors: u64,
    /// Security descriptors whose reference count is not the number of keys that use them.
    pub wrong_reference_counts: u64,
    /// Keys that do not name the key above them as their parent.
    pub wrong_parents: u64,
    /// Subkeys that do not stand after their predecessor by upper-case name, so that Windows may not find them.
    pub unsorted_subkeys: u64,
}

/// Walks the whole hive: all bins, all cells, and every key, value and security descriptor that can be reached.
///
/// Every cell is read at most once, so the time is bounded by the size of the hive. The memory is two bits for every eight
/// bytes of the hive, the path to the current key, and the largest value that lies in segments.
///
/// What Windows repairs silently or never reads is counted in the [`Summary`], and is not an error.
///
/// # Errors
/// The first bin, cell or record that is wrong; a cell that is used twice; or a limit that is exceeded.
pub fn verify(hive: &Hive<'_>, limits: Limits) -> Result<Summary, HiveError> {
    let bins = hive.bins();
    let mut summary = Summary::default();
    let cells = CellMap::scan(bins, &mut summary)?;
    let mut walk = Walk {
        bins,
        limits,
        cells,
        summary,
        security: BTreeMap::new(),
    };
    walk.cells.use_once(hive.root_offset(), "key node")?;
    walk.keys(hive.root()?)?;
    walk.security()?;
    walk.summary.unreferenced_cells = walk.summary.allocated_cells - walk.cells.used_count;
    Ok(walk.summary)
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 512,
            keys: 1 << 24,
            values: 1 << 26,
            data: 1 << 31,
        }
    }
}

/// Which cells there are, and which of them were used, by the eighth of their offset.
struct CellMap {
    allocated: BitSet,
    used: BitSet,
    used_count: u64,
}

struct BitSet(Vec<u64>);

struct Walk<'h> {
    bins: Bins<'h>,
    limits: Limits,
    cells: CellMap,
    summary: Summary,
    /// The security records that were met, and how many keys refer to them.
    security: BTreeMap<CellOffset, u32>,
}

struct Level<'h> {
    key: Key<'h>,
    subkeys: Subkeys<'h>,
    previous: Option<Key<'h>>,
}

impl<'h> Walk<'h> {
    fn keys(&mut self, root: Key<'h>) -> Result<(), HiveError> {
        let mut path = Vec::new();
        path.push(self.enter(root, 0)?);
        while let Some(level) = path.last_mut() {
            let Some(key) = level
                .subkeys
                .next_touching(&mut |at, what| self.cells.use_once(at, what))
            else {
                path.pop();
                continue;
            };
            let key = key?;
            self.summary.wrong_parents += u64::from(key.parent_offset() != level.key.offset());
            if let Some(previous) = level.previous.replace(key) {
                let ascends = previous.name().cmp_ignore_case(&key.name()).is_lt();
                self.summary.unsorted_subkeys += u64::from(!ascends);
            }
            let depth = path.len();
            path.push(self.enter(key, depth)?);
        }
        Ok(())
    }

    fn enter(&mut self, key: Key<'h>, depth: usize) -> Result<Level<'h>, HiveError> {
        let at = key.offset();
        if depth >= self.limits.depth {
            return Err(HiveError::TooDeep {
                at,
                limit: self.limits.depth,
            });
        }
        self.summary.depth = self.summary.depth.max(depth + 1);
        spend(&mut self.summary.keys, 1, self.limits.keys, "keys", at)?;
        key.class_name_touching(&mut |at, what| self.cells.use_once(at, what))?;
        if let Some(at) = key.security_offset() {
            self.cells.check_start(at, "security record")?;
            *self.security.entry(at).or_default() += 1;
        }
        self.values(&key)?;
        Ok(Level {
            key,
            subkeys: key.subkeys(),
            previous: None,
        })
    }

    fn values(&mut self, key: &Key<'h>) -> Result<(), HiveError> {
        let mut values = key.values();
        while let Some(value) = values.next_touching(&mut |at, what| self.cells.use_once(at, what))
        {
            let value = value?;
            spend(
                &mut self.summary.values,
                1,
                self.limits.values,
                "values",
                value.offset(),
            )?;
            let data = value.data_touching(&mut |at, what| self.cells.use_once(at, what))?;
            let size = data.len() as u64;
            spend(
                &mut self.summary.data,
                size,
                self.limits.data,
                "bytes of data",
                value.offset(),
            )?;
        }
        Ok(())
    }

    fn security(&mut self) -> Result<(), HiveError> {
        for (&at, &users) in &self.security {
            self.cells.use_once(at, "security record")?;
            let record = Security::read(self.bins, at)?;
            self.cells
                .check_start(record.next, "next security record")?;
            let next = Security::read(self.bins, record.next)?;
            if next.previous != at {
                return Err(HiveError::SecurityLink {
                    at,
                    next: record.next,
                    found: next.previous.0,
                });
            }
            self.summary.security_descriptors += 1;
            self.summary.wrong_reference_counts += u64::from(record.references != users);
        }
        Ok(())
    }
}

fn spend(
    total: &mut u64,
    more: u64,
    limit: u64,
    what: &'static str,
    at: CellOffset,
) -> Result<(), HiveError> {
    *total = total.saturating_add(more);
    if *total > limit {
        Err(HiveError::Budget { what, at, limit })
    } else {
        Ok(())
    }
}

impl CellMap {
    /// Follows the chain of bins, and in each bin the chain of cells.
    fn scan(bins: Bins<'_>, summary: &mut Summary) -> Result<Self, HiveError> {
        let len = bins.data.len();
        let mut map = Self {
            allocated: BitSet::new(len),
            used: BitSet::new(len),
            used_count: 0,
        };
        let mut start = 0;
        while start < len {
            let end = start + bin_size(bins.data, start)?;
            summary.bins += 1;
            map.scan_bin(bins.data, start + BIN_HEADER..end, summary)?;
            start = end;
        }
        Ok(map)
    }

    fn scan_bin(
        &mut self,
        data: &[u8],
        bin: std::ops::Range<usize>,
        summary: &mut Summary,
    ) -> Result<(), HiveError> {
        let mut start = bin.start;
        while start < bin.end {
            let at = CellOffset(u32::try_from(start).unwrap_or(u32::MAX));
            let stored = u32_at(data, start).unwrap_or_default().cast_signed();
            let (size, room) = (stored.unsigned_abs(), bin.end - start);
            let fits = |len: &usize| *len > 0 && *len <= room && len.is_multiple_of(CELL_ALIGN);
            let Some(len) = usize::try_from(size).ok().filter(fits) else {
                return Err(HiveError::CellSize {
                    what: "cell",
                    at,
                    size,
                    room,
                });
            };
            if stored < 0 {
                self.allocated.insert(start);
                summary.allocated_cells += 1;
            } else {
                summary.free_cells += 1;
                summary.free_bytes += len as u64;
            }
            start += len;
        }
        Ok(())
    }

    /// An error unless an allocated cell begins at `at`.
    fn check_start(&self, at: CellOffset, what: &'static str) -> Result<(), HiveError> {
        match usize::try_from(at.0) {
            Ok(start) if start.is_multiple_of(CELL_ALIGN) && self.allocated.contains(start) => {
                Ok(())
            }
            _ => Err(HiveError::NotACell { what, at }),
        }
    }

    fn use_once(&mut self, at: CellOffset, what: &'static str) -> Result<(), HiveError> {
        self.check_start(at, what)?;
        if self
            .used
            .insert(usize::try_from(at.0).unwrap_or(usize::MAX))
        {
            self.used_count += 1;
            return Ok(());
        }
        match what {
            "key node" => Err(HiveError::Cycle { at }),
            what => Err(HiveError::Shared { what, at }),
        }
    }
}

/// The size of the bin at `start`, checked against its header and the bytes that are there.
fn bin_size(data: &[u8], start: usize) -> Result<usize, HiveError> {
    let field = |at| u32_at(data, start + at).unwrap_or_default();
    let wrong = |what, at: usize, expected, found: u32| HiveError::Field {
        what,
        file_offset: (BASE_BLOCK + start + at) as u64,
        expected,
        found: u64::from(found),
    };
    let signature = u32::from_le_bytes(*b"hbin");
    if field(0) != signature {
        return Err(wrong(
            "bin signature",
            0,
            format!("{signature:#x} (\"hbin\")"),
            field(0),
        ));
    }
    if usize::try_from(field(4)).ok() != Some(start) {
        return Err(wrong("bin offset", 4, format!("{start:#x}"), field(4)));
    }
    let room = data.len() - start;
    match usize::try_from(field(8)) {
        Ok(size) if size > 0 && size <= room && size.is_multiple_of(BIN_ALIGN) => Ok(size),
        _ => Err(wrong(
            "bin size",
            8,
            format!("a multiple of 4096 from 4096 to {room:#x}"),
            field(8),
        )),
    }
}

impl BitSet {
    /// A set for offsets below `len`, in steps of eight.
    fn new(len: usize) -> Self {
        Self(vec![0; (len / CELL_ALIGN).div_ceil(64)])
    }

    fn contains(&self, offset: usize) -> bool {
        let (word, bit) = Self::place(offset);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Whether `offset` was not in the set before.
    fn insert(&mut self, offset: usize) -> bool {
        let (word, bit) = Self::place(offset);
        self.0.get_mut(word).is_some_and(|word| {
            let new = *word & bit == 0;
            *word |= bit;
            new
        })
    }

    fn place(offset: usize) -> (usize, u64) {
        let index = offset / CELL_ALIGN;
        (index / 64, 1 << (index % 64))
    }
}
