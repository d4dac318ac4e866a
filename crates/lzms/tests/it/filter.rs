//! The x86 filter, on bytes that stand in the chunk as literals.

use crate::decode;
use crate::encode::{Item, encode};

/// Decodes literals.
#[track_caller]
fn check_x86(stored: &[u8], expected: &[u8]) {
    let items: Vec<Item> = stored.iter().copied().map(Item::Literal).collect();
    let chunk = encode(stored.len(), &items);
    assert_eq!(decode(&chunk, stored.len()).as_deref(), Ok(expected));
}

/// A chunk of zeros with these bytes at these places.
fn code(size: usize, pieces: &[(usize, &[u8], u32)]) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for &(place, opcode, operand) in pieces {
        bytes[place..][..opcode.len()].copy_from_slice(opcode);
        bytes[place + opcode.len()..][..4].copy_from_slice(&operand.to_le_bytes());
    }
    bytes
}

/// Two calls of one target show code; the third operand, `gap` bytes behind the second one's last byte, is translated or not.
#[track_caller]
fn check_third(opcode: &[u8], gap: usize, translated: bool) {
    let place = 44 + gap;
    let shift = if translated { place as u32 } else { 0 };
    let calls = [(20, &[0xE8_u8][..], 980), (40, &[0xE8][..], 960)];
    let third = |operand| [calls[0], calls[1], (place, opcode, operand)];
    let size = place + 40;
    check_x86(
        &code(size, &third(0x1234_5678)),
        &code(size, &third(0x1234_5678 - shift)),
    );
}

#[test]
fn opcodes_and_their_reach() {
    check_third(&[0xE8], 511, true);
    check_third(&[0xE8], 512, false);
    let others: [&[u8]; 8] = [
        &[0x48, 0x8D, 0x05],
        &[0x48, 0x8D, 0xFD],
        &[0x4C, 0x8D, 0x0D],
        &[0x48, 0x8B, 0x05],
        &[0x48, 0x8B, 0x0D],
        &[0xFF, 0x15],
        &[0xF0, 0x83, 0x05],
        &[0x4C, 0x8D, 0x25],
    ];
    for opcode in others {
        for gap in [10, 11, 12, 13, 1023] {
            check_third(opcode, gap, true);
        }
        check_third(opcode, 1024, false);
    }
    let not_opcodes: [&[u8]; 8] = [
        &[0x48, 0x8B, 0x15],
        &[0x4C, 0x8B, 0x05],
        &[0x48, 0x8D, 0x04],
        &[0x48, 0x89, 0x05],
        &[0xFF, 0x25],
        &[0xF0, 0x83, 0x0D],
        &[0xF0, 0x82, 0x05],
        &[0xE9],
    ];
    for opcode in not_opcodes {
        check_third(opcode, 10, false);
    }
}

#[test]
fn a_jump_hides_what_its_operand_holds() {
    let calls: [(usize, &[u8], u32); 2] = [(20, &[0xE8], 980), (40, &[0xE8], 960)];
    let mut stored = code(120, &[calls[0], calls[1], (60, &[0xE9], 0xE8E8_E8E8)]);
    check_x86(&stored, &stored);
    // A call right behind the operand counts.
    stored[65..70].copy_from_slice(&[0xE8, 100, 0, 0, 0]);
    let mut expected = stored.clone();
    expected[66] = 35;
    check_x86(&stored, &expected);
}

#[test]
fn one_call_shows_no_code() {
    let alone = code(
        200,
        &[(20, &[0xE8], 980), (40, &[0xE8], 961), (60, &[0xE8], 900)],
    );
    check_x86(&alone, &alone);
}

#[test]
fn targets_that_are_far_apart() {
    // The last bytes of the first and second operand are 65535 bytes apart, or 65536.
    for (second, translated) in [(65635, true), (65636, false)] {
        let target = 0x8000;
        let shift = if translated { second + 20 } else { 0 };
        let calls = |operand| -> [(usize, &[u8], u32); 3] {
            [
                (100, &[0xE8], target - 100),
                (second as usize, &[0xE8], target.wrapping_sub(second)),
                (second as usize + 20, &[0xE8], operand),
            ]
        };
        check_x86(
            &code(66_000, &calls(9)),
            &code(66_000, &calls(9_u32.wrapping_sub(shift))),
        );
    }
}

#[test]
fn the_first_byte_and_the_last_sixteen_do_not_count() {
    let calls: [(usize, &[u8], u32); 2] = [(20, &[0xE8], 980), (40, &[0xE8], 960)];
    // A call 17 bytes before the end is the last.
    for (size, translated) in [(77, true), (76, false)] {
        let shift = if translated { 60 } else { 0 };
        let third = |operand| code(size, &[calls[0], calls[1], (60, &[0xE8], operand)]);
        check_x86(&third(500), &third(500 - shift));
    }
    // If the first byte counted, the first call would give the second one's target its first use.
    let first = code(
        100,
        &[(0, &[0xE8], 1000), (20, &[0xE8], 980), (40, &[0xE8], 77)],
    );
    check_x86(&first, &first);
    let second = code(
        100,
        &[(1, &[0xE8], 999), (20, &[0xE8], 980), (40, &[0xE8], 77)],
    );
    let expected = code(
        100,
        &[(1, &[0xE8], 999), (20, &[0xE8], 980), (40, &[0xE8], 37)],
    );
    check_x86(&second, &expected);
}

#[test]
fn small_chunks_are_left_alone() {
    for size in 5..=18 {
        let bytes = vec![0xE8; size];
        check_x86(&bytes, &bytes);
    }
}
