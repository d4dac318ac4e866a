//! Any sequence of items decodes to what it stands for.
use proptest::collection::vec;
use proptest::prelude::*;

use crate::decode;
use crate::encode::{Item, code_lengths, encode, encode_with, expand};

/// Sequences of literals and valid matches that make up to 64 KiB.
fn items() -> impl Strategy<Value = Vec<Item>> {
    let literals = prop_oneof![Just(4_u8), Just(255)];
    let length = prop_oneof![8 => 3..20_usize, 4 => 3..300_usize, 1 => 3..9000_usize];
    let one = (
        any::<u8>(),
        any::<bool>(),
        any::<bool>(),
        length,
        any::<u16>(),
        1..20_usize,
    );
    (literals, vec(one, 1..1500)).prop_map(|(mask, choices)| {
        let mut items = Vec::new();
        let mut size = 0;
        for (byte, literal, near, length, far, close) in choices {
            let length = length.min(65536 - size);
            if size == 0 || literal || length < 3 {
                if size < 65536 {
                    items.push(Item::Literal(byte & mask));
                    size += 1;
                }
                continue;
            }
            let distance = if near { close } else { 1 + usize::from(far) };
            let distance = distance.min(size).min(65535);
            items.push(if byte == 0 {
                Item::WideMatch { length, distance }
            } else {
                Item::Match { length, distance }
            });
            size += length;
        }
        items
    })
}

proptest! {
    #[test]
    fn decodes_what_was_encoded(items in items()) {
        let expected = expand(&items);
        prop_assert_eq!(decode(&encode(&items), expected.len()), Ok(expected));
    }

    #[test]
    fn any_code_for_all_symbols_will_do(items in items(), counts in vec(1..1_000_000_u32, 512)) {
        let expected = expand(&items);
        let chunk = encode_with(&code_lengths(&counts, 15), &items);
        prop_assert_eq!(decode(&chunk, expected.len()), Ok(expected));
    }

    #[test]
    fn a_shorter_output_is_a_prefix_or_cuts_a_match(items in items(), cut in any::<prop::sample::Index>()) {
        let expected = expand(&items);
        let size = 1 + cut.index(expected.len());
        if let Ok(output) = decode(&encode(&items), size) {
            prop_assert_eq!(&output, &expected[..size]);
        }
    }

    #[test]
    fn damage_gives_the_full_output_or_an_error(items in items(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let size = expand(&items).len();
        let mut chunk = encode(&items);
        let at = at.index(chunk.len());
        chunk[at] = byte;
        if let Ok(output) = decode(&chunk, size) {
            prop_assert_eq!(output.len(), size);
        }
    }
}
