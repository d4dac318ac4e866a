//! Strings that a DLL hands out: who frees them, and how.
//!
//! | DLL | freed with |
//! |---|---|
//! | vmcompute.dll, computenetwork.dll, computestorage.dll | `CoTaskMemFree` |
//! | computecore.dll | `LocalFree` |
//!
//! A string is copied and freed at once; none of them leaves this crate.
#![expect(unsafe_code, reason = "frees memory of DLLs")]

use std::marker::PhantomData;
use std::ptr;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::core::{PCWSTR, PWSTR};

use crate::raw::combase;
use crate::text::from_units;

/// How memory of one kind is freed.
pub(crate) trait Allocator {
    /// Frees it.
    ///
    /// # Safety
    /// The memory comes from this allocator, and nothing uses it any more.
    unsafe fn free(memory: PWSTR);
}

/// The allocator of COM.
pub(crate) enum CoTask {}

impl Allocator for CoTask {
    unsafe fn free(memory: PWSTR) {
        // SAFETY: the caller vouches for the memory. If combase.dll had no such function the memory would be lost; but then no DLL
        // could have taken it from there.
        let _ = unsafe { combase::CoTaskMemFree(memory.cast_const().cast()) };
    }
}

/// The heap of the process.
pub(crate) enum Local {}

impl Allocator for Local {
    unsafe fn free(memory: PWSTR) {
        // SAFETY: the caller vouches for the memory.
        unsafe { LocalFree(memory.cast()) };
    }
}

/// A place that a function writes a string to. The string is freed with the place.
pub(crate) struct OutText<A: Allocator> {
    string: PWSTR,
    allocator: PhantomData<A>,
}

impl<A: Allocator> OutText<A> {
    /// A place with nothing in it.
    pub(crate) fn new() -> Self {
        Self {
            string: ptr::null_mut(),
            allocator: PhantomData,
        }
    }

    /// Where the function is to write. Whoever writes there hands over a string of this allocator, or null.
    pub(crate) fn place(&mut self) -> *mut PWSTR {
        self.free();
        &raw mut self.string
    }

    /// What was written, if anything was.
    pub(crate) fn into_text(self) -> Option<String> {
        // SAFETY: what is written to the place is null or a string that ends with a NUL; it is freed only when `self` is dropped.
        unsafe { read(self.string) }
    }

    fn free(&mut self) {
        let string = std::mem::replace(&mut self.string, ptr::null_mut());
        if !string.is_null() {
            // SAFETY: it was handed over through the place, so it is of this allocator, and it is taken out before it is freed.
            unsafe { A::free(string) };
        }
    }
}

impl<A: Allocator> Drop for OutText<A> {
    fn drop(&mut self) {
        self.free();
    }
}

/// Copies a string of Windows; null is none.
///
/// # Safety
/// Null, or the beginning of units with a NUL among them, which nobody changes meanwhile.
pub(crate) unsafe fn read(string: PCWSTR) -> Option<String> {
    if string.is_null() {
        return None;
    }
    let mut length = 0;
    // SAFETY: the caller vouches for every unit up to the first NUL, and no unit behind it is read.
    while unsafe { *string.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: these are the units that were just read.
    Some(from_units(unsafe {
        std::slice::from_raw_parts(string, length)
    }))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use windows_sys::core::PWSTR;

    use super::{Allocator, OutText};

    thread_local! {
        static FREED: Cell<usize> = const { Cell::new(0) };
    }

    enum Counting {}

    impl Allocator for Counting {
        unsafe fn free(memory: PWSTR) {
            // SAFETY: `give` made it of a box of this type.
            drop(unsafe { Box::from_raw(memory.cast::<[u16; 3]>()) });
            FREED.set(FREED.get() + 1);
        }
    }

    fn give(place: *mut PWSTR) {
        let string = Box::into_raw(Box::new([b'o'.into(), b'k'.into(), 0_u16]));
        // SAFETY: the place is good for one pointer.
        unsafe { *place = string.cast() };
    }

    #[test]
    fn a_string_is_freed_once_whether_it_was_read_or_not() {
        let mut read = OutText::<Counting>::new();
        give(read.place());
        assert_eq!(read.into_text().as_deref(), Some("ok"));
        assert_eq!(FREED.get(), 1);
        let mut unread = OutText::<Counting>::new();
        give(unread.place());
        drop(unread);
        assert_eq!(FREED.get(), 2);
        drop(OutText::<Counting>::new());
        assert_eq!(FREED.get(), 2, "nothing was written, nothing is freed");
    }

    #[test]
    fn a_place_that_is_used_again_frees_what_was_there() {
        let before = FREED.get();
        let mut text = OutText::<Counting>::new();
        give(text.place());
        give(text.place());
        assert_eq!(text.into_text().as_deref(), Some("ok"));
        assert_eq!(FREED.get(), before + 2);
    }
}
