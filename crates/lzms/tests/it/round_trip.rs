//! Any sequence of items decodes to what it stands for.
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::decode;
use crate::encode::{Encoder, Item, encode, expand};
use crate::model::filter;

/// A choice that becomes an item where it is valid: way, byte, length, index of a remembered source, offset.
type Choice = (u8, u8, u32, usize, u32);

fn items() -> impl Strategy<Value = Vec<Item>> {
    let length = prop_oneof![8 => 1..30_u32, 2 => 1..400_u32, 1 => 1..5000_u32];
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![0xE8, 0xE9, 0x48, 0x8D, 0x05])
    ];
    let choice = (0..12_u8, byte, length, 0..3_usize, any::<u32>());
    vec(choice, 5..1500).prop_map(|choices: Vec<Choice>| {
        let mut items = vec![Item::Literal(1); 5];
        let mut size = 5_u32;
        for (way, byte, length, index, offset) in choices {
            let power = offset % 8;
            let farthest = (size >> power).saturating_sub(1);
            let item = match way {
                // Remembered sources reach back 5 bytes at most, or were used before, so they are valid.
                0 => Item::LzRepeat { length, index },
                1 => Item::DeltaRepeat { length, index },
                2 if farthest > 0 => Item::Delta {
                    length,
                    power,
                    offset: 1 + offset / 8 % farthest,
                },
                3 => Item::Lz {
                    length,
                    distance: 1 + offset % 20.min(size),
                },
                4 | 5 => Item::Lz {
                    length,
                    distance: 1 + offset % size,
                },
                _ => Item::Literal(byte),
            };
            size += if let Item::Literal(_) = item {
                1
            } else {
                length
            };
            items.push(item);
        }
        items
    })
}

proptest! {
    #[test]
    fn decodes_what_was_encoded(items in items(), slack in 0..3_usize) {
        let expected = expand(&items);
        let mut encoder = Encoder::new(expected.len());
        for item in items {
            encoder.item(item);
        }
        let mut output = decode(&encoder.finish(2 * slack), expected.len())?;
        filter(&mut output);
        prop_assert!(output == expected);
    }

    #[test]
    fn the_filter_is_undone(calls in vec((0..30_usize, 0..7_usize, 0..9_u32), 1..400)) {
        const OPCODES: [&[u8]; 7] = [
            &[0xE8], &[0xE9], &[0x48, 0x8D, 0x05], &[0x4C, 0x8D, 0x0D], &[0x48, 0x8B, 0x05], &[0xFF, 0x15], &[0xF0, 0x83, 0x05],
        ];
        let mut code = vec![0x90];
        for (gap, opcode, target) in calls {
            code.extend(vec![0x90; gap]);
            let place = code.len() as u32;
            code.extend(OPCODES[opcode]);
            code.extend((target * 1000).wrapping_sub(place).to_le_bytes());
        }
        let mut stored = code.clone();
        filter(&mut stored);
        let literals: Vec<Item> = stored.iter().copied().map(Item::Literal).collect();
        prop_assert_eq!(decode(&encode(code.len(), &literals), code.len()), Ok(code));
    }

    #[test]
    fn damage_gives_the_full_output_or_an_error(items in items(), at in any::<Index>(), byte in any::<u8>(), cut in any::<Index>()) {
        let expected = expand(&items);
        let mut chunk = encode(expected.len(), &items);
        let place = at.index(chunk.len());
        chunk[place] = byte;
        let first = decode(&chunk, expected.len());
        prop_assert_eq!(&first, &decode(&chunk, expected.len()));
        chunk.truncate(cut.index(chunk.len()));
        if let Ok(output) = decode(&chunk, expected.len()) {
            prop_assert_eq!(output.len(), expected.len());
        }
    }
}
