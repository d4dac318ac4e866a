//! Crafted chunks that do not decode.
use crate::accepted::literals;
use crate::check_refused;
use crate::encode::{Item, encode};

/// A message with the input offset left out, which depends on how far ahead the decoder reads.
#[track_caller]
fn check_kind(chunk: &[u8], size: usize, expected: &str) {
    let error = crate::decode(chunk, size).map_err(|error| error.to_string());
    let text = error.expect_err("an error");
    let (head, tail) = text.split_once("input offset ").expect("an offset");
    let tail = tail.trim_start_matches(|digit: char| digit.is_ascii_digit());
    assert_eq!(format!("{head}input offset N{tail}"), expected);
}

/// Literals and one more item, in a chunk of 1000 bytes.
fn ending_with(count: usize, item: Item) -> Vec<u8> {
    let mut items = literals(count);
    items.push(item);
    items.extend(literals(100));
    encode(1000, &items)
}

#[test]
fn output_sizes() {
    let expected = "expected an output of 1 to 1073741824 bytes, got 0";
    check_refused(&encode(9, &literals(9)), 0, expected);
}

#[test]
fn input_sizes() {
    let chunk = encode(9, &literals(9));
    for size in [0, 1, 2, 3, 5, 7] {
        let expected =
            format!("expected a chunk of an even number of bytes, 4 or more, got {size}");
        check_refused(&chunk[..size], 9, &expected);
    }
}

#[test]
fn matches_that_start_before_the_chunk() {
    for (count, distance) in [(0, 1), (3, 4), (3, 900)] {
        check_kind(
            &ending_with(
                count,
                Item::Lz {
                    length: 5,
                    distance,
                },
            ),
            1000,
            &format!(
                "match at output position {count} (input offset N) starts {distance} bytes back, before the chunk"
            ),
        );
    }
    check_kind(
        &ending_with(
            2,
            Item::LzRepeat {
                length: 5,
                index: 2,
            },
        ),
        1000,
        "match at output position 2 (input offset N) starts 3 bytes back, before the chunk",
    );
}

#[test]
fn delta_matches_that_start_before_the_chunk() {
    // Offset and span together must fit.
    for (count, power, offset) in [(4, 0, 4), (11, 2, 2), (300, 7, 2), (300, 7, 999)] {
        check_kind(
            &ending_with(
                count,
                Item::Delta {
                    length: 5,
                    power,
                    offset,
                },
            ),
            1000,
            &format!(
                "delta match at output position {count} (input offset N) with power {power} and offset {offset} starts before the chunk"
            ),
        );
    }
    check_kind(
        &ending_with(
            1,
            Item::DeltaRepeat {
                length: 5,
                index: 0,
            },
        ),
        1000,
        "delta match at output position 1 (input offset N) with power 0 and offset 1 starts before the chunk",
    );
}

#[test]
fn a_delta_offset_that_overflows() {
    // The offset times 128 is 2^32 and a little, and the rest would fit.
    let mut items = literals(1000);
    let offset = 1 << 25;
    items.push(Item::Delta {
        length: 5,
        power: 7,
        offset,
    });
    items.extend(literals(100));
    check_kind(
        &encode(1 << 26, &items),
        1 << 26,
        "delta match at output position 1000 (input offset N) with power 7 and offset 33554432 starts before the chunk",
    );
}

#[test]
fn matches_that_run_over_the_end() {
    check_kind(
        &ending_with(
            3,
            Item::Lz {
                length: 998,
                distance: 3,
            },
        ),
        1000,
        "match of 998 bytes at output position 3 (input offset N) runs over the end of the chunk",
    );
    check_kind(
        &ending_with(
            3,
            Item::DeltaRepeat {
                length: 70_000,
                index: 1,
            },
        ),
        1000,
        "match of 70000 bytes at output position 3 (input offset N) runs over the end of the chunk",
    );
    check_kind(
        &ending_with(
            3,
            Item::Lz {
                length: 1 << 30,
                distance: 3,
            },
        ),
        1000,
        "match of 1073741824 bytes at output position 3 (input offset N) runs over the end of the chunk",
    );
}

#[test]
fn input_that_ends_early() {
    // Zero bits go on as literals of the byte 0, or as matches that cannot be.
    check_refused(
        &[0; 4],
        1000,
        "the chunk has too few bytes for output position 1000",
    );
    let chunk = encode(3000, &literals(3000));
    let cut = &chunk[chunk.len() - 200..];
    let text = crate::decode(cut, 3000).map_err(|error| error.to_string());
    assert!(text.is_err(), "{text:?}");
}

#[test]
fn an_end_that_is_found_by_a_match() {
    // The forward stream is all ones: matches, while the backward stream has a few bits only.
    let mut messages = Vec::new();
    for units in 2..40 {
        let error = crate::decode(&vec![0xFF; 2 * units], 100_000).expect_err("no chunk");
        messages.push(error.to_string());
    }
    assert!(
        messages
            .iter()
            .all(|text| text.starts_with("match") || text.starts_with("delta match"))
    );
}
