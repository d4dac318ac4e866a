//! Texts that cross the boundary: what callers pass is copied at once; what they are given comes from the allocator that the DLL in
//! question hands out from, and is theirs.
//!
//! A text that is handed out ends with a mark behind its NUL. So it can be told later whether a caller has freed it: a block of the same
//! size is still there, begins as it did and has the same mark. The count of strings that live is taken so.
#![expect(unsafe_code, reason = "reads and writes the memory of callers")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use wcow_ntmeta::Hresult;

use crate::abi::{PCWSTR, PWSTR};
use crate::answer::{E_INVALIDARG, E_OUTOFMEMORY};

/// The longest text that is read, in units of UTF-16: longer than any document.
const LONGEST: usize = 16 << 20;
/// The least number of texts that is looked through for those that were freed.
const PRUNED_FROM: usize = 4096;

/// Who frees a text, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// `LocalFree`: computecore.dll.
    Local,
    /// `CoTaskMemFree`: all others.
    CoTask,
}

/// Reads a text; `None` for a null pointer.
///
/// # Errors
/// It is no UTF-16, or has no end.
///
/// # Safety
/// The pointer is null or leads to units that end with a NUL and do not change meanwhile.
pub(crate) unsafe fn read(text: PCWSTR) -> Result<Option<String>, Hresult> {
    if text.is_null() {
        return Ok(None);
    }
    let mut units = Vec::new();
    for index in 0..LONGEST {
        // SAFETY: no unit before this one was the NUL, so this one is part of the text.
        let unit = unsafe { text.add(index).read_unaligned() };
        if unit == 0 {
            return String::from_utf16(&units)
                .map(Some)
                .map_err(|_| E_INVALIDARG);
        }
        units.push(unit);
    }
    Err(E_INVALIDARG)
}

/// Reads a text that must be there.
///
/// # Errors
/// The pointer is null; as [`read`].
///
/// # Safety
/// As for [`read`].
pub(crate) unsafe fn required(text: PCWSTR) -> Result<String, Hresult> {
    // SAFETY: the caller vouches for the pointer.
    unsafe { read(text) }?.ok_or(E_INVALIDARG)
}

/// Writes null to a place for a text, so that a caller who frees what it finds there does no harm.
///
/// # Safety
/// The place is null or can be written.
pub(crate) unsafe fn clear(place: *mut PWSTR) {
    if !place.is_null() {
        // SAFETY: it is not null; the caller vouches for the rest.
        unsafe { place.write_unaligned(std::ptr::null_mut()) };
    }
}

/// Hands out a text, if there is a place for it.
///
/// # Errors
/// There is no memory.
///
/// # Safety
/// The place is null or can be written.
pub(crate) unsafe fn give(place: *mut PWSTR, text: &str, owner: Owner) -> Result<(), Hresult> {
    if place.is_null() {
        return Ok(());
    }
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let length = units.len() * 2;
    let marked = length.next_multiple_of(8);
    let size = marked + 8;
    let block = platform::allocate(size, owner);
    if block.is_null() {
        return Err(E_OUTOFMEMORY);
    }
    let mut given = GIVEN.lock();
    let mark = given.next_mark();
    // SAFETY: the block has `size` bytes, 16 or more, which hold the units and, behind them, the mark; it is ours until it is handed out.
    let head = unsafe {
        block.cast::<u64>().write_unaligned(0);
        std::ptr::copy_nonoverlapping(units.as_ptr().cast::<u8>(), block, length);
        block.add(marked).cast::<u64>().write_unaligned(mark);
        block.cast::<u64>().read_unaligned()
    };
    given.add(Block {
        address: block.expose_provenance(),
        head,
        marked,
        mark,
        lives: true,
    });
    drop(given);
    // SAFETY: the place is not null; the caller vouches for the rest.
    unsafe { place.write_unaligned(block.cast()) };
    Ok(())
}

/// How many texts were handed out so far, and how many of them live.
pub(crate) fn counts() -> (u64, u64) {
    let mut given = GIVEN.lock();
    given.prune();
    (given.count, given.blocks.len() as u64)
}

/// A text that was handed out.
#[derive(Clone, Copy, Debug)]
struct Block {
    address: usize,
    /// Its first eight bytes: what is taken from freed memory and not yet written to can still have the mark.
    head: u64,
    /// Where the mark stands, in bytes from the address; the block ends with it.
    marked: usize,
    mark: u64,
    /// Whether it was found when the blocks were last looked through.
    lives: bool,
}

impl Block {
    /// Whether a block of this size at its address is this one.
    ///
    /// # Safety
    /// There is a block of this size, and nobody frees it meanwhile.
    unsafe fn is_in(&self, size: usize) -> bool {
        if size != self.marked + 8 {
            return false;
        }
        let block = std::ptr::with_exposed_provenance::<u8>(self.address);
        // SAFETY: the block has this size, which holds the mark and, before it, the units, eight bytes or more.
        unsafe {
            block.cast::<u64>().read_unaligned() == self.head
                && block.add(self.marked).cast::<u64>().read_unaligned() == self.mark
        }
    }
}

struct Given(Mutex<Blocks>);

struct Blocks {
    count: u64,
    /// How many there may be before those that were freed are forgotten.
    most: usize,
    blocks: Vec<Block>,
}

static GIVEN: Given = Given(Mutex::new(Blocks {
    count: 0,
    most: PRUNED_FROM,
    blocks: Vec::new(),
}));

impl Given {
    fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocks {
    fn next_mark(&self) -> u64 {
        // Not found in memory by chance: the number of the text, spread over all bits.
        (self.count + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn add(&mut self, block: Block) {
        self.count += 1;
        // The allocator gives an address again when it was freed.
        if self.blocks.len() >= self.most {
            self.prune();
            self.most = PRUNED_FROM.max(self.blocks.len() * 2);
        }
        self.blocks.push(block);
    }

    fn prune(&mut self) {
        self.blocks.sort_unstable_by_key(|block| block.address);
        platform::look_through(&mut self.blocks);
        self.blocks.retain(|block| block.lives);
    }
}

#[cfg(windows)]
mod platform {
    //! The allocators of Windows. Both take from the heap of the process.

    use windows_sys::Win32::Foundation::{ERROR_NO_MORE_ITEMS, GetLastError};
    use windows_sys::Win32::System::Com::CoTaskMemAlloc;
    use windows_sys::Win32::System::Memory::{
        GetProcessHeap, HeapLock, HeapUnlock, HeapWalk, LMEM_FIXED, LocalAlloc, PROCESS_HEAP_ENTRY,
    };
    use windows_sys::Win32::System::SystemServices::PROCESS_HEAP_ENTRY_BUSY;

    use super::{Block, Owner};

    pub(super) fn allocate(size: usize, owner: Owner) -> *mut u8 {
        match owner {
            // SAFETY: takes numbers alone.
            Owner::Local => unsafe { LocalAlloc(LMEM_FIXED, size) }.cast(),
            // SAFETY: takes a number alone.
            Owner::CoTask => unsafe { CoTaskMemAlloc(size) }.cast(),
        }
    }

    /// Says of each block whether it lives: the heap lists it, and it is as it was handed out. They are in the order of their addresses.
    ///
    /// The heap is asked for all its blocks, never about one: `HeapValidate` of Wine takes what lies before the place it is asked about
    /// for its own, and where the block is gone and its memory part of another one, follows what it finds there.
    pub(super) fn look_through(blocks: &mut [Block]) {
        // SAFETY: asks for a handle that is always there.
        let heap = unsafe { GetProcessHeap() };
        // SAFETY: the heap is the one of the process.
        if unsafe { HeapLock(heap) } == 0 {
            // Nothing is known, so all that were thought to live do.
            return;
        }
        // Nothing is allocated from here to the unlocking: the list of the heap stays as it is.
        for block in &mut *blocks {
            block.lives = false;
        }
        let mut entry = PROCESS_HEAP_ENTRY::default();
        // SAFETY: the heap is locked, and the entry is the one of the step before; null at the first.
        while unsafe { HeapWalk(heap, &raw mut entry) } != 0 {
            if u32::from(entry.wFlags) & PROCESS_HEAP_ENTRY_BUSY == 0 {
                continue;
            }
            let address = entry.lpData.addr();
            let first = blocks.partition_point(|block| block.address < address);
            for block in &mut blocks[first..] {
                if block.address != address {
                    break;
                }
                // SAFETY: the heap says that there is a block of this size, and it is locked, so nobody frees it meanwhile.
                block.lives = unsafe { block.is_in(entry.cbData as usize) };
            }
        }
        // SAFETY: asks for the error of the last step, and unlocks what was locked above.
        let end = unsafe {
            let end = GetLastError();
            HeapUnlock(heap);
            end
        };
        if end != ERROR_NO_MORE_ITEMS {
            // Not all blocks were listed, so of those that were not found nothing is known either.
            blocks.iter_mut().for_each(|block| block.lives = true);
        }
    }
}

#[cfg(not(windows))]
pub(crate) use platform::release;

#[cfg(not(windows))]
mod platform {
    //! An allocator that knows its blocks, for systems that have neither of those of Windows.

    use std::alloc::{Layout, alloc, dealloc};
    use std::collections::BTreeMap;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::{Block, Owner};

    static BLOCKS: Mutex<BTreeMap<usize, Layout>> = Mutex::new(BTreeMap::new());

    fn blocks() -> MutexGuard<'static, BTreeMap<usize, Layout>> {
        BLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn allocate(size: usize, _owner: Owner) -> *mut u8 {
        let Ok(layout) = Layout::from_size_align(size.max(1), 8) else {
            return std::ptr::null_mut();
        };
        // SAFETY: the size is not 0.
        let block = unsafe { alloc(layout) };
        if !block.is_null() {
            blocks().insert(block.expose_provenance(), layout);
        }
        block
    }

    /// Says of each block whether it lives: it is known, and is as it was handed out.
    pub(super) fn look_through(blocks: &mut [Block]) {
        let known = self::blocks();
        for block in blocks {
            block.lives = known.get(&block.address).is_some_and(|layout| {
                // SAFETY: the block is known by this size, and is not released meanwhile: they are locked.
                unsafe { block.is_in(layout.size()) }
            });
        }
    }

    /// Frees a block; false if it is none.
    pub(crate) fn release(block: *mut u8) -> bool {
        let Some(layout) = blocks().remove(&block.addr()) else {
            return false;
        };
        // SAFETY: the block was allocated with this layout, and is known to nobody any more.
        unsafe { dealloc(block, layout) };
        true
    }
}
