//! Crafted chunks that decode.
use wcow_lzx::WindowSize;

use crate::encode::{Block, Encoder, Item, Runs, code_lengths, codewords, encode, filter};
use crate::{check, check_chunk, decode, decoder};

/// Literals of a text without E8 bytes.
fn literals(count: usize) -> Vec<Item> {
    (0..count)
        .map(|number| Item::Literal((number * number % 97) as u8))
        .collect()
}

/// Decodes bytes that stand unfiltered in the chunk.
#[track_caller]
fn check_e8(stored: &[u8], expected: &[u8]) {
    let block = Block::Uncompressed {
        repeats: [1; 3],
        bytes: stored.to_vec(),
    };
    let (chunk, _) = encode(32768, Runs::All, &[block]);
    assert_eq!(decode(32768, &chunk, stored.len()).as_deref(), Ok(expected));
}

/// `before` zeros, a call with the operand, and `after` zeros.
fn call(before: usize, operand: i32, after: usize) -> Vec<u8> {
    let mut bytes = vec![0; before];
    bytes.push(0xE8);
    bytes.extend(operand.to_le_bytes());
    bytes.extend(vec![0; after]);
    bytes
}

#[test]
fn window_sizes() {
    for log2 in 0..32 {
        let size = 1 << log2;
        let window = WindowSize::from_chunk_size(size);
        assert_eq!(
            window.map(WindowSize::bytes),
            (15..=21).contains(&log2).then_some(size as usize)
        );
    }
    assert_eq!(WindowSize::from_chunk_size(0), None);
    assert_eq!(WindowSize::from_chunk_size(49152), None);
}

#[test]
fn match_lengths_and_distances() {
    for distance in 1..40 {
        let mut items = literals(40);
        for length in [2, 3, 7, 8, 9, 10, 15, 16, 17, 100, 256, 257] {
            items.extend([Item::Match { length, distance }, Item::Literal(b'|')]);
        }
        check(32768, &[Block::Verbatim(items.clone())]);
        check(32768, &[Block::Aligned(items)]);
    }
}

#[test]
fn repeat_offsets_are_swapped() {
    let mut items = literals(30);
    items.extend([7, 11, 13].map(|distance| Item::Match {
        length: 3,
        distance,
    }));
    items.extend([2, 2, 1, 0, 2, 1, 1].map(|index| Item::Repeat { length: 4, index }));
    items.push(Item::Match {
        length: 2,
        distance: 20,
    });
    items.extend([2, 1, 0].map(|index| Item::Repeat { length: 30, index }));
    check(32768, &[Block::Verbatim(items.clone())]);
    check(32768, &[Block::Aligned(items)]);
}

#[test]
fn repeat_offsets_start_as_one() {
    for index in 0..3 {
        check(
            32768,
            &[Block::Verbatim(vec![
                Item::Literal(b'a'),
                Item::Repeat { length: 5, index },
            ])],
        );
    }
}

#[test]
fn every_offset_slot_of_every_window() {
    for log2 in 15..=21 {
        let window = 1 << log2;
        let mut items = literals(3);
        let mut size = 3;
        while size < window - 2000 {
            items.push(Item::Match {
                length: 257,
                distance: 3,
            });
            size += 257;
        }
        let farthest = window - 2000;
        items.extend((0..log2).map(|power| Item::Match {
            length: 2,
            distance: 1 << power,
        }));
        items.extend((2..log2).map(|power| Item::Match {
            length: 12,
            distance: (1 << power) - 3,
        }));
        items.push(Item::Match {
            length: 17,
            distance: farthest as u32,
        });
        check(window as u32, &[Block::Verbatim(items.clone())]);
        check(window as u32, &[Block::Aligned(items)]);
    }
}

#[test]
fn code_lengths_and_repeat_offsets_outlive_a_block() {
    let first = [
        literals(300),
        vec![Item::Match {
            length: 20,
            distance: 77,
        }],
    ]
    .concat();
    let second = [
        vec![Item::Repeat {
            length: 9,
            index: 0,
        }],
        literals(100),
    ]
    .concat();
    let third = vec![
        Item::Literal(1),
        Item::Repeat {
            length: 80,
            index: 1,
        },
    ];
    for runs in [Runs::None, Runs::All, Runs::Overrun] {
        let blocks = [
            Block::Verbatim(first.clone()),
            Block::Aligned(second.clone()),
            Block::Verbatim(third.clone()),
            Block::Aligned(first.clone()),
        ];
        let (chunk, expected) = encode(32768, runs, &blocks);
        check_chunk(32768, &chunk, &expected);
    }
}

#[test]
fn uncompressed_blocks_between_others() {
    // Different numbers of literals end the block before at different bits, the unit boundary among them.
    for count in 1..40 {
        for size in [1, 2, 7, 8] {
            let bytes = vec![0x5A; size];
            let blocks = [
                Block::Verbatim(literals(count)),
                Block::Uncompressed {
                    repeats: [1, 2, 3],
                    bytes: bytes.clone(),
                },
                Block::Aligned(vec![
                    Item::Repeat {
                        length: 11,
                        index: 0,
                    },
                    Item::Literal(9),
                ]),
                Block::Uncompressed {
                    repeats: [4, 1, 1],
                    bytes,
                },
                Block::Verbatim(vec![
                    Item::Repeat {
                        length: 3,
                        index: 0,
                    },
                    Item::Literal(9),
                ]),
            ];
            check(32768, &blocks);
            check(65536, &blocks);
        }
    }
}

#[test]
fn no_pad_byte_at_the_end() {
    let bytes = vec![1, 2, 3];
    let mut chunk = check(
        32768,
        &[Block::Uncompressed {
            repeats: [1; 3],
            bytes: bytes.clone(),
        }],
    );
    chunk.pop();
    assert_eq!(decode(32768, &chunk, 3), Ok(bytes));
}

#[test]
fn repeat_offset_beyond_the_window_that_is_not_used() {
    check(
        32768,
        &[
            Block::Uncompressed {
                repeats: [1, u32::MAX, 40000],
                bytes: vec![7; 4],
            },
            Block::Verbatim(vec![Item::Repeat {
                length: 3,
                index: 0,
            }]),
        ],
    );
}

#[test]
fn default_block_size() {
    let mut encoder = Encoder::new(65536, Runs::All);
    encoder.bits.put(0b0111, 4);
    encoder.bits.align();
    for _ in 0..3 {
        encoder.bits.output.extend(1_u32.to_le_bytes());
    }
    encoder.bits.output.extend([5; 32768]);
    encoder.expected = vec![5; 32768];
    encoder.block(&Block::Verbatim(literals(10)));
    let expected = encoder.expected.clone();
    check_chunk(65536, &encoder.bits.finish(), &expected);
}

#[test]
fn default_block_size_in_full() {
    let mut items = literals(32768 - 127 * 257);
    items.extend(
        [Item::Match {
            length: 257,
            distance: 3,
        }; 127],
    );
    check(32768, &[Block::Verbatim(items)]);
}

#[test]
fn rare_symbols_of_long_blocks() {
    // Each literal is half as frequent as the one before, so the codes of the last are long; so are those of the matches.
    let mut items: Vec<Item> = (1..30_000_u32)
        .map(|number| Item::Literal(number.trailing_zeros() as u8))
        .collect();
    for (place, index) in [(5000, 0), (10_000, 2), (15_000, 1), (25_000, 0)] {
        items[place] = Item::Repeat { length: 5, index };
        items[place + 100] = Item::Match {
            length: 30,
            distance: 2000,
        };
    }
    check(65536, &[Block::Verbatim(items.clone())]);
    check(65536, &[Block::Aligned(items)]);
}

#[test]
fn rare_lengths_of_long_blocks() {
    let mut items = literals(40);
    items.extend((1..5000_u32).map(|number| Item::Match {
        length: 9 + number.trailing_zeros() as usize,
        distance: 1 + number % 37,
    }));
    check(65536, &[Block::Verbatim(items.clone())]);
    check(65536, &[Block::Aligned(items)]);
}

#[test]
fn codes_longer_than_the_table() {
    let mut encoder = Encoder::new(32768, Runs::None);
    encoder.header(1, 100);
    let mut lengths = vec![0; encoder.main_symbols()];
    for (symbol, length) in lengths.iter_mut().enumerate().take(16) {
        *length = symbol as u8 + 1;
    }
    lengths[16] = 16;
    encoder.tables(&lengths, &[0; 249]);
    for symbol in 0..100 {
        let symbol = symbol % 17;
        let length = symbol.min(15) + 1;
        // All ones, then a zero unless it is the last code.
        encoder.bits.put(
            if symbol == 16 {
                0xFFFF
            } else {
                (1 << length) - 2
            },
            length,
        );
    }
    let expected: Vec<u8> = (0..100).map(|symbol| symbol % 17).collect();
    check_chunk(32768, &encoder.bits.finish(), &expected);
}

#[test]
fn all_symbols_in_every_code() {
    let mut encoder = Encoder::new(1 << 21, Runs::None);
    let main = code_lengths(&vec![1; encoder.main_symbols()], 16);
    let length = code_lengths(&[1; 249], 16);
    encoder.header(1, 40);
    encoder.tables(&main, &length);
    let words = codewords(&main);
    let expected: Vec<u8> = (0..40).collect();
    for &byte in &expected {
        encoder
            .bits
            .put(words[usize::from(byte)], main[usize::from(byte)].into());
    }
    check_chunk(1 << 21, &encoder.bits.finish(), &expected);
}

#[test]
fn missing_units_are_zero_bits() {
    let mut encoder = Encoder::new(32768, Runs::All);
    encoder.header(1, 5000);
    let mut lengths = vec![0; encoder.main_symbols()];
    lengths[usize::from(b'a')] = 1;
    lengths[usize::from(b'b')] = 1;
    encoder.tables(&lengths, &[0; 249]);
    let mut chunk = encoder.bits.finish();
    assert_eq!(decode(32768, &chunk, 5000), Ok(vec![b'a'; 5000]));
    // An odd byte is no unit.
    chunk.push(0xFF);
    assert_eq!(decode(32768, &chunk, 5000), Ok(vec![b'a'; 5000]));
    // With a second one it is.
    chunk.push(0xFF);
    let output = decode(32768, &chunk, 5000).expect("a chunk");
    let start = output
        .iter()
        .position(|&byte| byte == b'b')
        .expect("a one bit");
    assert!(start < 16);
    let mut expected = vec![b'a'; 5000];
    expected[start..start + 16].fill(b'b');
    assert_eq!(output, expected);
}

#[test]
fn run_of_a_difference_of_seventeen() {
    // Seventeen is nothing, modulo 17. The four codes of two bits are those of 16 to 19.
    let mut encoder = Encoder::new(32768, Runs::All);
    encoder.header(1, 2000);
    for (size, ones) in [(256, 2), (240, 0), (249, 0)] {
        for symbol in 0..20 {
            encoder.bits.put(if symbol < 16 { 0 } else { 2 }, 4);
        }
        // Symbol 16 makes a length of 1. Then symbol 19 and its bit, for a run of 5, and symbol 17.
        encoder.bits.put(0, 2 * ones);
        encoder.bits.put(0b1_1101, 5);
        let mut missing = size - ones - 5;
        while missing > 0 {
            let run = missing.clamp(20, 51);
            encoder.bits.put(0b10, 2);
            encoder.bits.put(run - 20, 5);
            missing = missing.saturating_sub(run);
        }
    }
    check_chunk(32768, &encoder.bits.finish(), &[0; 2000]);
}

#[test]
fn bytes_behind_the_end() {
    let (mut chunk, expected) = encode(32768, Runs::All, &[Block::Verbatim(literals(50))]);
    chunk.extend([0xFF; 9]);
    check_chunk(32768, &chunk, &expected);
}

#[test]
fn matches_up_to_the_end() {
    // Bytes behind the end keep the decoder in its fast loop up to the last match.
    for distance in 1..=40 {
        for length in 25..60 {
            let mut items = literals(40);
            items.push(Item::Match { length, distance });
            let (mut chunk, expected) = encode(32768, Runs::All, &[Block::Verbatim(items)]);
            chunk.extend([0xFF; 40]);
            check_chunk(32768, &chunk, &expected);
        }
    }
}

#[test]
fn debug_shows_no_tables() {
    assert_eq!(
        format!("{:?}", decoder(32768)),
        "Decoder { window: WindowSize { log2: 15 }, .. }"
    );
    assert_eq!(decoder(1 << 21).window().bytes(), 1 << 21);
}

#[test]
fn decoder_is_reusable_after_an_error() {
    let (chunk, expected) = encode(32768, Runs::All, &[Block::Aligned(literals(50))]);
    let mut decoder = decoder(32768);
    let mut output = [0; 50];
    let mut damaged = chunk.clone();
    damaged[0] ^= 0x10;
    assert!(decoder.decode(&damaged, &mut [0; 400]).is_err());
    assert_eq!(decoder.decode(&chunk, &mut output), Ok(()));
    filter(&mut output);
    assert_eq!(output[..], expected[..]);
}

#[test]
fn e8_operands() {
    check_e8(&call(100, 250, 20), &call(100, 150, 20));
    check_e8(&call(100, 0, 20), &call(100, -100, 20));
    check_e8(&call(100, 11_999_999, 20), &call(100, 11_999_899, 20));
    check_e8(&call(100, 12_000_000, 20), &call(100, 12_000_000, 20));
    check_e8(&call(100, -1, 20), &call(100, 11_999_999, 20));
    check_e8(&call(100, -100, 20), &call(100, 11_999_900, 20));
    check_e8(&call(100, -101, 20), &call(100, -101, 20));
    check_e8(&call(0, i32::MIN, 20), &call(0, i32::MIN, 20));
    check_e8(&call(0, 5, 20), &call(0, 5, 20));
}

#[test]
fn e8_near_the_end() {
    // A call at 9 of 20 bytes is the last that counts.
    check_e8(&call(9, 50, 6), &call(9, 41, 6));
    check_e8(&call(10, 50, 5), &call(10, 50, 5));
    check_e8(&call(0, 50, 5), &call(0, 50, 5));
    check_e8(&call(3, 50, 6), &call(3, 47, 6));
    for before in 0..30 {
        let mut stored = call(before, 1000, 40);
        stored[before + 30] = 0xE8;
        let mut expected = call(before, 1000 - before as i32, 40);
        expected[before + 30] = 0xE8;
        expected[before + 31..before + 35].copy_from_slice(&(-30 - before as i32).to_le_bytes());
        check_e8(&stored, &expected);
    }
}

#[test]
fn e8_goes_on_behind_the_operand() {
    // Every byte is E8: each fifth one is an opcode, and its operand is too negative to count.
    check_e8(&[0xE8; 40], &[0xE8; 40]);
    // The operand has an E8 that is no opcode.
    let mut stored = call(4, 0xE8, 20);
    let mut expected = call(4, 0xE4, 20);
    check_e8(&stored, &expected);
    // One right behind the operand is.
    stored[9] = 0xE8;
    expected[9] = 0xE8;
    expected[10..14].copy_from_slice(&(-9_i32).to_le_bytes());
    check_e8(&stored, &expected);
}

#[test]
fn e8_positions_span_blocks() {
    let stored = call(6, 106, 20);
    let (head, tail) = stored.split_at(9);
    let blocks = [
        Block::Verbatim(head.iter().copied().map(Item::Literal).collect()),
        Block::Uncompressed {
            repeats: [1; 3],
            bytes: tail.to_vec(),
        },
    ];
    let (chunk, _) = encode(32768, Runs::All, &blocks);
    assert_eq!(decode(32768, &chunk, stored.len()), Ok(call(6, 100, 20)));
}
