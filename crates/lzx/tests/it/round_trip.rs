//! Any sequence of blocks decodes to what it stands for.
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::decode;
use crate::encode::{Block, Item, Runs, encode, filter};

/// A choice that becomes an item where it is valid: literal or not, byte, repeat offset or kind of distance, length, distance.
type Choice = (bool, u8, u8, usize, u32);

/// A window and valid blocks that fit it.
fn chunks() -> impl Strategy<Value = (u32, Vec<Block>)> {
    let length = prop_oneof![8 => 2..12_usize, 2 => 2..258_usize];
    let choice = (
        any::<bool>(),
        prop_oneof![any::<u8>(), Just(0xE8)],
        0..6_u8,
        length,
        any::<u32>(),
    );
    let block = (0..3_u8, vec(choice, 1..400));
    (select((15..=21_u32).collect::<Vec<_>>()), vec(block, 1..5)).prop_map(|(log2, plans)| {
        let window = 1 << log2;
        let mut room = window as usize;
        let mut size = 0;
        let mut blocks = Vec::new();
        for (kind, choices) in plans {
            let items = |size: &mut usize, room: &mut usize, choices: &[Choice]| -> Vec<Item> {
                let mut items = Vec::new();
                for &(literal, byte, way, length, distance) in choices {
                    let item_size = if literal || *size < 3 { 1 } else { length };
                    if item_size > *room {
                        break;
                    }
                    items.push(if item_size == 1 {
                        Item::Literal(byte)
                    } else {
                        match way {
                            // Repeat offsets are 3 or less, or were used before, so they are valid.
                            0..3 => Item::Repeat {
                                length,
                                index: way.into(),
                            },
                            3 => Item::Match {
                                length,
                                distance: 1 + distance % 20.min(*size as u32),
                            },
                            _ => Item::Match {
                                length,
                                distance: 1 + distance % (*size as u32).min(window - 3),
                            },
                        }
                    });
                    *size += item_size;
                    *room -= item_size;
                }
                items
            };
            if kind == 0 {
                let bytes: Vec<u8> = choices.iter().map(|choice| choice.1).take(room).collect();
                if !bytes.is_empty() {
                    size += bytes.len();
                    room -= bytes.len();
                    let near = |place: usize| 1 + choices[place % choices.len()].4 % (size as u32);
                    blocks.push(Block::Uncompressed {
                        repeats: [near(0), near(1), near(2)],
                        bytes,
                    });
                }
                continue;
            }
            let items = items(&mut size, &mut room, &choices);
            if !items.is_empty() {
                blocks.push(if kind == 1 {
                    Block::Verbatim(items)
                } else {
                    Block::Aligned(items)
                });
            }
        }
        (window, blocks)
    })
}

fn runs() -> impl Strategy<Value = Runs> {
    select(vec![Runs::None, Runs::All, Runs::Overrun])
}

proptest! {
    #[test]
    fn decodes_what_was_encoded((window, blocks) in chunks(), runs in runs()) {
        let (chunk, expected) = encode(window, runs, &blocks);
        let mut output = decode(window, &chunk, expected.len())?;
        filter(&mut output);
        prop_assert_eq!(output, expected);
    }

    #[test]
    fn the_filter_is_undone(calls in vec((0..30_usize, -40_000..13_000_000_i32), 1..100)) {
        let mut code = Vec::new();
        for (gap, operand) in calls {
            code.extend(vec![0x90; gap]);
            code.push(0xE8);
            code.extend(operand.to_le_bytes());
        }
        let mut stored = code.clone();
        filter(&mut stored);
        let literals = stored.iter().copied().map(Item::Literal).collect();
        let (chunk, _) = encode(32768, Runs::All, &[Block::Verbatim(literals)]);
        prop_assert_eq!(decode(32768, &chunk, code.len()), Ok(code));
    }

    #[test]
    fn damage_gives_the_full_output_or_an_error((window, blocks) in chunks(), at in any::<Index>(), byte in any::<u8>()) {
        let (mut chunk, expected) = encode(window, Runs::All, &blocks);
        let at = at.index(chunk.len());
        chunk[at] = byte;
        if let Ok(output) = decode(window, &chunk, expected.len()) {
            prop_assert_eq!(output.len(), expected.len());
        }
    }
}
