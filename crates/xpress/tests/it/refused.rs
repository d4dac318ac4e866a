//! Crafted chunks that do not decode.
use crate::check_refused;
use crate::encode::{Item, encode, encode_with};

#[test]
fn output_sizes() {
    let chunk = encode(&[Item::Literal(b'a')]);
    check_refused(&chunk, 0, "expected an output of 1 to 65536 bytes, got 0");
    check_refused(
        &chunk,
        65537,
        "expected an output of 1 to 65536 bytes, got 65537",
    );
}

#[test]
fn no_room_for_code_lengths() {
    check_refused(
        &[],
        1,
        "expected 256 bytes of code lengths, the chunk has 0",
    );
    check_refused(
        &[0x11; 255],
        1,
        "expected 256 bytes of code lengths, the chunk has 255",
    );
}

#[test]
fn codes() {
    let with = |used: &[u8]| {
        let mut lengths = [0; 512];
        lengths[..used.len()].copy_from_slice(used);
        encode_with(&lengths, &[])
    };
    check_refused(
        &with(&[]),
        1,
        "the code lengths at input offset 0 define no symbol",
    );
    check_refused(
        &with(&[]),
        5000,
        "the code lengths at input offset 0 define no symbol",
    );
    check_refused(
        &with(&[1]),
        1,
        "the code lengths at input offset 0 are under-full",
    );
    check_refused(
        &with(&[1, 2, 3]),
        1,
        "the code lengths at input offset 0 are under-full",
    );
    check_refused(
        &with(&[15; 512]),
        1,
        "the code lengths at input offset 0 are under-full",
    );
    check_refused(
        &with(&[1, 1, 15]),
        1,
        "the code lengths at input offset 0 are over-full",
    );
    check_refused(
        &with(&[1; 512]),
        1,
        "the code lengths at input offset 0 are over-full",
    );
}

#[test]
fn match_before_start() {
    let items = [
        Item::Literal(b'a'),
        Item::Match {
            length: 3,
            distance: 2,
        },
    ];
    let text =
        "match at output position 1 (input offset 260) starts 2 bytes back, before the chunk";
    check_refused(&encode(&items), 4, text);
    check_refused(&encode(&items), 4000, text);
    check_refused(
        &encode(&[Item::Match {
            length: 3,
            distance: 1,
        }]),
        3,
        "match at output position 0 (input offset 260) starts 1 bytes back, before the chunk",
    );
}

#[test]
fn match_past_end() {
    let near = [
        Item::Literal(b'a'),
        Item::Match {
            length: 4,
            distance: 1,
        },
    ];
    check_refused(
        &encode(&near),
        4,
        "match of 4 bytes at output position 1 (input offset 260) runs over the end of the output",
    );
    let far = [
        Item::Literal(b'a'),
        Item::Match {
            length: 4000,
            distance: 1,
        },
    ];
    let text = "match of 4000 bytes at output position 1 (input offset 263) runs over the end of the output";
    check_refused(&encode(&far), 4000, text);
    check_refused(&encode(&far), 100, text);
}
