//! wimlib 1.14.4, as far as the comparisons need it: a file's verdict, its trees, and its codecs.
//!
//! The only place in this crate with unsafe code.
#![expect(
    unsafe_code,
    reason = "a C library; every pointer that goes in or comes out lives for the call it is used in"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io::Write as _;
use std::ptr;
use std::sync::Once;

use wimlib_sys as sys;

/// What wimlib says of a file.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// The error code of opening it; 0 if it opened.
    pub(crate) open: c_int,
    /// The error code of verifying it.
    pub(crate) verify: c_int,
    /// The tree of every image, or the error code of reading it.
    pub(crate) images: Vec<Result<Vec<Item>, c_int>>,
    /// What the XML data says of every image: the texts of [`PROPERTIES`], empty where there is none.
    pub(crate) properties: Vec<Vec<Vec<u16>>>,
}

/// Texts that the XML data may hold of an image.
pub(crate) const PROPERTIES: &[&CStr] = &[
    c"NAME",
    c"DESCRIPTION",
    c"DISPLAYNAME",
    c"DISPLAYDESCRIPTION",
    c"FLAGS",
    c"WINDOWS/PRODUCTNAME",
    c"WINDOWS/EDITIONID",
    c"WINDOWS/INSTALLATIONTYPE",
    c"WINDOWS/HAL",
    c"WINDOWS/PRODUCTTYPE",
    c"WINDOWS/PRODUCTSUITE",
    c"WINDOWS/LANGUAGES/DEFAULT",
    c"WINDOWS/VERSION/BRANCH",
    c"WINDOWS/SYSTEMROOT",
];

/// One file or directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    /// UTF-16, with `/` before each name.
    pub(crate) path: Vec<u16>,
    pub(crate) short_name: Vec<u16>,
    pub(crate) attributes: u32,
    pub(crate) reparse_tag: u32,
    pub(crate) security: Vec<u8>,
    /// SHA-1 of the file's own data; zeros if it has none.
    pub(crate) data: [u8; 20],
    /// Alternate streams, in order of their names.
    pub(crate) named: Vec<(Vec<u16>, [u8; 20])>,
}

/// Opens, lists and verifies a file. `None` if the file cannot be put where wimlib can read it.
pub(crate) fn judge(bytes: &[u8], images: u32) -> Option<Judged> {
    init();
    let shared = std::path::Path::new("/dev/shm");
    // It wants a file with a name.
    let mut file = if shared.is_dir() {
        tempfile::NamedTempFile::new_in(shared).ok()?
    } else {
        tempfile::NamedTempFile::new().ok()?
    };
    file.write_all(bytes).ok()?;
    let path = CString::new(file.path().as_os_str().as_encoded_bytes()).ok()?;
    let flags = c_int::try_from(sys::WIMLIB_OPEN_FLAG_CHECK_INTEGRITY).ok()?;
    let mut judged = Judged::default();
    let mut wim: *mut sys::WIMStruct = ptr::null_mut();
    // SAFETY: the path is a C string, and `wim` a place for the handle.
    judged.open = unsafe { sys::wimlib_open_wim(path.as_ptr(), flags, &raw mut wim) };
    if judged.open != 0 {
        return Some(judged);
    }
    for image in 1..=images {
        let image = c_int::try_from(image).ok()?;
        judged.images.push(tree(wim, image));
        let properties = PROPERTIES.iter().map(|name| property(wim, image, name));
        judged.properties.push(properties.collect());
    }
    // SAFETY: the handle was opened above, and is closed here, once.
    unsafe {
        judged.verify = sys::wimlib_verify_wim(wim, 0);
        sys::wimlib_free(wim);
    }
    Some(judged)
}

/// Decodes one chunk; the number is that of the algorithm in a solid resource. `None` if wimlib has no decoder for this size.
pub(crate) fn decode(
    algorithm: u8,
    chunk_size: usize,
    chunk: &[u8],
    output: &mut [u8],
) -> Option<bool> {
    init();
    let mut decoder: *mut sys::wimlib_decompressor = ptr::null_mut();
    // SAFETY: the decoder is made, used on two live buffers with their lengths, and freed once.
    unsafe {
        let made = sys::wimlib_create_decompressor(algorithm.into(), chunk_size, &raw mut decoder);
        if made != 0 {
            return None;
        }
        let code = sys::wimlib_decompress(
            chunk.as_ptr().cast(),
            chunk.len(),
            output.as_mut_ptr().cast(),
            output.len(),
            decoder,
        );
        sys::wimlib_free_decompressor(decoder);
        Some(code == 0)
    }
}

fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: called once, before everything else.
        unsafe {
            sys::wimlib_global_init(0);
            sys::wimlib_set_print_errors(false);
        }
    });
}

fn tree(wim: *mut sys::WIMStruct, image: c_int) -> Result<Vec<Item>, c_int> {
    const ROOT: &CStr = c"/";
    let mut items: Vec<Item> = Vec::new();
    let flags = c_int::try_from(sys::WIMLIB_ITERATE_DIR_TREE_FLAG_RECURSIVE).unwrap_or(1);
    // SAFETY: `wim` is open, and `items` outlives the call.
    let code = unsafe {
        sys::wimlib_iterate_dir_tree(
            wim,
            image,
            ROOT.as_ptr(),
            flags,
            Some(each),
            (&raw mut items).cast(),
        )
    };
    if code == 0 { Ok(items) } else { Err(code) }
}

fn property(wim: *mut sys::WIMStruct, image: c_int, name: &CStr) -> Vec<u16> {
    // SAFETY: `wim` is open; the text that comes back is a C string or null, and is copied before the next call.
    text(unsafe { sys::wimlib_get_image_property(wim, image, name.as_ptr()) })
}

/// Takes one entry of a tree. Stops at more than any file of the fuzzer's size has room for.
unsafe extern "C" fn each(entry: *const sys::wimlib_dir_entry, items: *mut c_void) -> c_int {
    // SAFETY: wimlib gives a valid entry, with one more stream than it has named ones, and the pointer that it was given.
    let (entry, streams, items) = unsafe {
        let Some(entry) = entry.as_ref() else {
            return 0;
        };
        let count = usize::try_from(entry.num_named_streams).unwrap_or(0) + 1;
        let Some(items) = items.cast::<Vec<Item>>().as_mut() else {
            return 0;
        };
        (entry, entry.streams.as_slice(count), items)
    };
    let security = if entry.security_descriptor.is_null() {
        Vec::new()
    } else {
        let (start, len) = (
            entry.security_descriptor.cast::<u8>(),
            entry.security_descriptor_size,
        );
        // SAFETY: wimlib gives a pointer and the length behind it.
        unsafe { std::slice::from_raw_parts(start, len) }.to_vec()
    };
    let mut named: Vec<_> = streams
        .iter()
        .skip(1)
        .map(|stream| (text(stream.stream_name), stream.resource.sha1_hash))
        .collect();
    named.sort();
    items.push(Item {
        path: text(entry.full_path),
        short_name: text(entry.dos_name),
        attributes: entry.attributes,
        reparse_tag: entry.reparse_tag,
        security,
        data: streams
            .first()
            .map_or([0; 20], |stream| stream.resource.sha1_hash),
        named,
    });
    c_int::from(items.len() > 1 << 20)
}

fn text(text: *const c_char) -> Vec<u16> {
    if text.is_null() {
        return Vec::new();
    }
    // SAFETY: wimlib gives C strings, which live as long as the entry.
    utf16(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// UTF-16 of UTF-8 that may hold lone surrogates, as wimlib writes them.
fn utf16(bytes: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let (more, start) = match first {
            0..0x80 => (0, u32::from(first)),
            0x80..0xE0 => (1, u32::from(first & 0x1F)),
            0xE0..0xF0 => (2, u32::from(first & 0x0F)),
            _ => (3, u32::from(first & 0x07)),
        };
        let (more, tail) = tail.split_at(more.min(tail.len()));
        let value = more
            .iter()
            .fold(start, |value, byte| value << 6 | u32::from(byte & 0x3F));
        match char::from_u32(value) {
            Some(character) => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
            None => units.push(u16::try_from(value).unwrap_or(0xFFFD)),
        }
        rest = tail;
    }
    units
}

#[cfg(test)]
mod tests {
    use super::utf16;

    #[test]
    fn lone_surrogates_survive() {
        assert_eq!(
            utf16("aä€😀".as_bytes()),
            "aä€😀".encode_utf16().collect::<Vec<_>>()
        );
        assert_eq!(utf16(b"\xED\xA0\x80x"), [0xD800, 0x78]);
    }
}
