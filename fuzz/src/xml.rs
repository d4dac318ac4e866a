//! The XML data, in a file that is good but for it.

use wcow_wim::{ImageIndex, Options, Wim};

use crate::budget::answer;
use crate::craft::{Parts, utf16};

/// XML data. Byte 0: bits 0 and 1 give the number of images in the header; bit 2 is set if the rest is UTF-16LE already, else it is
/// UTF-8 and is converted; bit 3 puts a byte order mark before it.
///
/// # Panics
/// If an image cannot be found by its number or its name, the text is not kept, the mark matters, or the limit of size is not held.
pub fn xml(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let images = u32::from(first & 3);
    let text = if first & 4 == 0 {
        utf16(&String::from_utf8_lossy(rest))
    } else {
        rest.to_vec()
    };
    let mark = [0xFF, 0xFE];
    let marked = text.starts_with(&mark);
    let text = if first & 8 != 0 && !marked {
        [&mark, text.as_slice()].concat()
    } else {
        text
    };
    let file = |text: &[u8]| {
        Parts {
            xml: Some(text.to_vec()),
            images: Some(images),
            ..Parts::default()
        }
        .build()
    };
    let bytes = file(&text);
    let Some(wim) = answer(bytes.len(), "open", || Wim::open(bytes.clone()).ok()) else {
        return;
    };
    check(&wim, images);
    // The same with and without a mark, the same a second time.
    let bare = text.strip_prefix(&mark).unwrap_or(&text);
    if !bare.starts_with(&mark) {
        let bare = Wim::open(file(bare));
        let bare = bare.as_ref().ok().map(Wim::images);
        assert_eq!(bare, Some(wim.images()), "the byte order mark matters");
    }
    // One byte more than is allowed.
    let mut options = Options::default();
    options.limits.xml_bytes = u64::try_from(text.len()).unwrap_or(0).saturating_sub(1);
    assert!(
        text.is_empty() || Wim::open_with(bytes, options).is_err(),
        "more XML data than is allowed"
    );
}

fn check(wim: &Wim, images: u32) {
    assert_eq!(wim.image_count(), images, "one element for each image");
    for (number, image) in (1..).zip(wim.images()) {
        assert_eq!(image.index.get(), number, "images out of order");
        let found = wim.find_image(&number.to_string());
        assert_eq!(
            found.ok(),
            ImageIndex::new(number),
            "an image's number leads elsewhere"
        );
        if let Some(name) = &image.name {
            let found = wim.find_image(name).ok();
            let same = found.is_some_and(|found| {
                found == image.index
                    || name == &found.to_string()
                    || name.parse() == Ok(found.get())
                    || wim
                        .images()
                        .iter()
                        .any(|other| other.index == found && other.name == image.name)
            });
            assert!(same, "the image called {name:?} is not found by its name");
        }
    }
}
