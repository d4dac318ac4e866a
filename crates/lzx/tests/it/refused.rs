//! Crafted chunks that do not decode.
use crate::check_refused;
use crate::encode::{Block, Encoder, Item, Runs, encode};

fn uncompressed(repeats: [u32; 3], size: usize) -> Vec<u8> {
    encode(
        32768,
        Runs::All,
        &[Block::Uncompressed {
            repeats,
            bytes: vec![1; size],
        }],
    )
    .0
}

fn verbatim(items: &[Item]) -> Vec<u8> {
    encode(32768, Runs::All, &[Block::Verbatim(items.to_vec())]).0
}

/// A verbatim block of `size` bytes with the given code lengths and zero bits as its symbols.
fn with_lengths(size: usize, main: &[(usize, u8)], length: &[(usize, u8)]) -> Vec<u8> {
    let mut encoder = Encoder::new(32768, Runs::All);
    encoder.header(1, size);
    let mut main_lengths = vec![0; encoder.main_symbols()];
    let mut length_lengths = vec![0; 249];
    for &(symbol, length) in main {
        main_lengths[symbol] = length;
    }
    for &(symbol, length) in length {
        length_lengths[symbol] = length;
    }
    encoder.tables(&main_lengths, &length_lengths);
    let mut chunk = encoder.bits.finish();
    chunk.extend(vec![0; size]);
    chunk
}

/// A message with the input offset left out, which depends on how far ahead the decoder reads.
#[track_caller]
fn check_kind(chunk: &[u8], size: usize, expected: &str) {
    let error = crate::decode(32768, chunk, size).map_err(|error| error.to_string());
    let text = error.expect_err("an error");
    let (head, tail) = text.split_once("input offset ").expect("an offset");
    let tail = tail.trim_start_matches(|digit: char| digit.is_ascii_digit());
    assert_eq!(format!("{head}input offset N{tail}"), expected);
}

#[test]
fn output_sizes() {
    check_refused(
        &uncompressed([1; 3], 4),
        0,
        "expected an output of 1 to 32768 bytes, got 0",
    );
    check_refused(
        &uncompressed([1; 3], 4),
        32769,
        "expected an output of 1 to 32768 bytes, got 32769",
    );
}

#[test]
fn block_types() {
    for kind in [0, 4, 5, 6, 7] {
        let mut encoder = Encoder::new(32768, Runs::All);
        encoder.header(kind, 4);
        let expected = format!("expected block type 1, 2 or 3 at input offset 4, found {kind}");
        check_refused(&encoder.bits.finish(), 4, &expected);
    }
    check_refused(
        &[],
        4,
        "expected block type 1, 2 or 3 at input offset 0, found 0",
    );
}

#[test]
fn block_sizes() {
    let mut encoder = Encoder::new(32768, Runs::All);
    encoder.header(3, 0);
    encoder.bits.align();
    check_refused(
        &encoder.bits.finish(),
        4,
        "expected a block of 1 to 4 bytes at input offset 4, found 0",
    );
    check_refused(
        &uncompressed([1; 3], 5),
        4,
        "expected a block of 1 to 4 bytes at input offset 6, found 5",
    );
    let cut = Block::Verbatim(vec![Item::Literal(1); 3]);
    let (chunk, _) = encode(32768, Runs::All, &[cut]);
    // What follows reads as zeros: block type 0.
    check_kind(
        &chunk,
        4,
        "expected block type 1, 2 or 3 at input offset N, found 0",
    );
}

#[test]
fn codes() {
    // Too short for the fast loop, and long enough.
    for size in [10, 5000] {
        check_kind(
            &with_lengths(size, &[(1, 1)], &[]),
            size,
            "the main code at input offset N is under-full",
        );
        check_kind(
            &with_lengths(size, &[(1, 1), (2, 2)], &[]),
            size,
            "the main code at input offset N is under-full",
        );
        check_kind(
            &with_lengths(size, &[(1, 1), (2, 1), (3, 16)], &[]),
            size,
            "the main code at input offset N is over-full",
        );
        check_kind(
            &with_lengths(size, &[(1, 1), (2, 1)], &[(7, 1)]),
            size,
            "the length code at input offset N is under-full",
        );
        check_kind(
            &with_lengths(size, &[(1, 1), (2, 1)], &[(7, 1), (8, 1), (9, 1)]),
            size,
            "the length code at input offset N is over-full",
        );
        check_kind(
            &with_lengths(size, &[], &[]),
            size,
            "the main code, which has no symbols, is used at input offset N",
        );
        // The zero bits behind the tables are the symbol of a match that needs the length code.
        check_kind(
            &with_lengths(size, &[(256 + 7, 1), (256 + 8, 1)], &[]),
            size,
            "the length code, which has no symbols, is used at input offset N",
        );
    }
}

#[test]
fn pre_codes() {
    let with = |lengths: &[u32]| {
        let mut encoder = Encoder::new(32768, Runs::All);
        encoder.header(1, 10);
        for place in 0..20 {
            encoder
                .bits
                .put(lengths.get(place).copied().unwrap_or(0), 4);
        }
        encoder.bits.finish()
    };
    check_kind(
        &with(&[]),
        10,
        "the pre-code, which has no symbols, is used at input offset N",
    );
    check_kind(
        &with(&[1]),
        10,
        "the pre-code at input offset N is under-full",
    );
    check_kind(
        &with(&[1, 1, 1]),
        10,
        "the pre-code at input offset N is over-full",
    );
}

#[test]
fn run_of_a_run() {
    let mut encoder = Encoder::new(32768, Runs::All);
    encoder.header(1, 10);
    for place in 0..20 {
        encoder.bits.put(u32::from(place >= 18), 4);
    }
    // Symbol 19, one extra bit, symbol 18.
    encoder.bits.put(0b100, 3);
    check_kind(
        &encoder.bits.finish(),
        10,
        "expected the length that a run repeats at input offset N, found pre-code symbol 18",
    );
}

#[test]
fn aligned_codes() {
    let with = |size, lengths: [u32; 8]| {
        let mut encoder = Encoder::new(32768, Runs::All);
        encoder.header(2, size);
        for length in lengths {
            encoder.bits.put(length, 3);
        }
        let mut main = vec![0; encoder.main_symbols()];
        // A literal and a match of slot 8.
        main[0] = 1;
        main[256 + 8 * 8] = 1;
        encoder.tables(&main, &[0; 249]);
        encoder.bits.put(1, 31);
        let mut chunk = encoder.bits.finish();
        chunk.extend(vec![0; size]);
        chunk
    };
    for size in [40, 5000] {
        check_kind(
            &with(size, [1; 8]),
            size,
            "the aligned offset code at input offset N is over-full",
        );
        check_kind(
            &with(size, [7; 8]),
            size,
            "the aligned offset code at input offset N is under-full",
        );
        check_kind(
            &with(size, [0; 8]),
            size,
            "the aligned offset code, which has no symbols, is used at input offset N",
        );
    }
}

#[test]
fn match_before_start() {
    let far = [
        Item::Literal(1),
        Item::Match {
            length: 4,
            distance: 2,
        },
        Item::Literal(1),
    ];
    let expected =
        "match at output position 1 (input offset N) starts 2 bytes back, before the chunk";
    check_kind(&verbatim(&far), 6, expected);
    let mut long = far.to_vec();
    long.extend([Item::Literal(1); 3000]);
    check_kind(&verbatim(&long), 3006, expected);
    let first = [Item::Repeat {
        length: 4,
        index: 0,
    }];
    check_kind(
        &verbatim(&first),
        4,
        "match at output position 0 (input offset N) starts 1 bytes back, before the chunk",
    );
}

#[test]
fn used_repeat_offset_beyond_the_window() {
    let blocks = [
        Block::Uncompressed {
            repeats: [u32::MAX, 1, 1],
            bytes: vec![1; 4],
        },
        Block::Verbatim(vec![Item::Repeat {
            length: 2,
            index: 0,
        }]),
    ];
    check_kind(
        &encode(32768, Runs::All, &blocks).0,
        6,
        "match at output position 4 (input offset N) starts 4294967295 bytes back, before the chunk",
    );
}

#[test]
fn match_past_block() {
    // The first block claims one byte less than its items make.
    for count in [10, 3000] {
        let mut items = vec![Item::Literal(1); count];
        items.push(Item::Match {
            length: 5,
            distance: 2,
        });
        let mut chunk = verbatim(&items);
        let claimed = (count + 4) as u16;
        let [high, low] = claimed.to_be_bytes();
        chunk[0] = high << 4 | low >> 4;
        chunk[1] = 0x20 | chunk[1] & 0x0F;
        let first = 0x2000 | claimed >> 4;
        chunk[..2].copy_from_slice(&first.to_le_bytes());
        chunk[3] = low << 4 | chunk[3] & 0x0F;
        for size in [claimed.into(), 8000] {
            let expected = format!(
                "match of 5 bytes at output position {count} (input offset N) runs over the end of its block"
            );
            check_kind(&chunk, size, &expected);
        }
    }
}

#[test]
fn uncompressed_blocks() {
    for repeats in [[0, 1, 1], [1, 0, 1], [1, 1, 0]] {
        check_kind(
            &uncompressed(repeats, 4),
            4,
            "expected three repeat offsets before input offset N, found a zero",
        );
    }
    let chunk = uncompressed([1; 3], 4);
    check_refused(
        &chunk[..chunk.len() - 1],
        4,
        "expected 4 bytes of an uncompressed block at input offset 16, the chunk ends before",
    );
    check_refused(
        &chunk[..10],
        4,
        "expected 4 bytes of an uncompressed block at input offset 8, the chunk ends before",
    );
    check_refused(
        &chunk[..4],
        4,
        "expected 4 bytes of an uncompressed block at input offset 4, the chunk ends before",
    );
}
