//! Crafted chunks that decode.
use wcow_lzms::Decoder;

use crate::encode::{Encoder, Item, encode, expand};
use crate::{check, check_chunk, decode};

/// Literals of a text without opcodes.
pub(crate) fn literals(count: usize) -> Vec<Item> {
    (0..count)
        .map(|number| Item::Literal((number * number % 61) as u8))
        .collect()
}

#[test]
fn literals_alone() {
    for count in [5, 17, 18, 2047, 2048, 2049, 5000] {
        check(&literals(count));
    }
}

#[test]
fn match_lengths_and_distances() {
    for distance in 1..40 {
        let mut items = literals(40);
        for length in [
            1, 2, 7, 8, 9, 15, 16, 17, 26, 27, 28, 34, 100, 500, 1000, 3000, 80_000,
        ] {
            items.extend([Item::Lz { length, distance }, Item::Literal(b'|')]);
        }
        items.extend(literals(100));
        check(&items);
    }
}

#[test]
fn matches_up_to_the_last_byte() {
    for distance in 1..40 {
        for length in 1..60 {
            let mut items = literals(40);
            items.push(Item::Lz { length, distance });
            check(&items);
        }
    }
}

#[test]
fn remembered_offsets() {
    let mut items = literals(30);
    for distance in [7, 11, 13, 17] {
        items.push(Item::Lz {
            length: 3,
            distance,
        });
    }
    for index in [2, 2, 1, 0, 2, 1, 1] {
        items.push(Item::LzRepeat { length: 4, index });
    }
    for index in [2, 1, 0, 2, 0, 0, 1] {
        items.extend([Item::Literal(9), Item::LzRepeat { length: 5, index }]);
    }
    check(&items);
}

#[test]
fn offsets_remembered_at_the_start() {
    for first in 0..3 {
        for second in 0..3 {
            let mut items = literals(6);
            items.push(Item::LzRepeat {
                length: 5,
                index: first,
            });
            items.push(Item::LzRepeat {
                length: 5,
                index: second,
            });
            items.push(Item::DeltaRepeat {
                length: 5,
                index: first,
            });
            items.push(Item::DeltaRepeat {
                length: 5,
                index: second,
            });
            check(&items);
        }
    }
}

#[test]
fn the_two_kinds_of_match_remember_apart() {
    let mut items = literals(100);
    for index in [0, 1, 2, 0, 2, 1] {
        items.push(Item::Lz {
            length: 4,
            distance: 20 + index as u32,
        });
        items.push(Item::Delta {
            length: 6,
            power: 1,
            offset: 3 + index as u32,
        });
        items.push(Item::LzRepeat { length: 3, index });
        items.push(Item::DeltaRepeat { length: 3, index });
        items.push(Item::DeltaRepeat { length: 3, index });
        items.push(Item::Literal(index as u8));
    }
    check(&items);
}

#[test]
fn delta_spans_and_offsets() {
    for power in 0..8 {
        for offset in [1, 2, 3, 8] {
            let mut items = literals((offset as usize + 1) << power);
            for length in [1, 2, 16, 200, 1500] {
                items.extend([
                    Item::Delta {
                        length,
                        power,
                        offset,
                    },
                    Item::Literal(200),
                ]);
            }
            items.push(Item::DeltaRepeat {
                length: 40,
                index: 0,
            });
            check(&items);
        }
    }
}

#[test]
fn codes_are_rebuilt() {
    // Symbols of all codes, unevenly, long enough for several rebuilds of each.
    let mut items = literals(300);
    let mut number = 1_u32;
    for _ in 0..12_000 {
        number = number.wrapping_mul(1_103_515_245).wrapping_add(12345);
        let dice = number >> 16;
        let small = 1 + dice % 250;
        let length = if dice.is_multiple_of(97) {
            1 + dice % 4000
        } else {
            1 + dice % 9
        };
        items.push(match dice % 8 {
            0 | 1 => Item::Literal((dice >> 3) as u8),
            2 => Item::Literal(7),
            3 => Item::Delta {
                length,
                power: dice % 4 % 3,
                offset: 1 + small % 60,
            },
            4 => Item::LzRepeat {
                length,
                index: dice as usize % 3,
            },
            _ => Item::Lz {
                length,
                distance: if dice.is_multiple_of(3) { small } else { 3 },
            },
        });
    }
    check(&items);
}

#[test]
fn codes_longer_than_the_table() {
    // Counts in the manner of Fibonacci's numbers give codes as long as they get.
    let mut items = Vec::new();
    let (mut count, mut next) = (1, 1);
    for byte in 0..12_u8 {
        items.extend(vec![Item::Literal(byte); count]);
        (count, next) = (next, count + next);
    }
    items.extend(items.clone());
    items.extend(items.clone());
    // Rare ones, after the code has adapted to the others.
    for _ in 0..8 {
        items.extend(vec![Item::Literal(11); 1024]);
    }
    items.extend((0..=255).rev().map(Item::Literal));
    check(&items);
}

#[test]
fn every_offset_slot() {
    let mut items = literals(200);
    let mut size = 200;
    let mut distance = 1_u32;
    while distance < 3_000_000 {
        if size <= distance {
            items.push(Item::Lz {
                length: distance,
                distance: 199,
            });
            size += distance;
        }
        items.push(Item::Lz {
            length: 3,
            distance,
        });
        size += 3;
        distance += 1 + distance / 37;
    }
    check(&items);
}

#[test]
fn offsets_of_more_than_a_hundred_megabytes() {
    // The last offset slot begins at 106,669,221 and has 30 extra bits.
    let length = 110_000_000;
    let items = [
        Item::Literal(b'x'),
        Item::Literal(b'y'),
        Item::Lz {
            length,
            distance: 1,
        },
        Item::Lz {
            length: 3,
            distance: length + 2,
        },
        Item::Literal(b'z'),
    ];
    let size = length as usize + 6;
    let output = decode(&encode(size, &items), size).expect("a chunk");
    assert_eq!(output[..3], *b"xyy");
    assert!(
        output[3..length as usize + 2]
            .iter()
            .all(|&byte| byte == b'y')
    );
    assert_eq!(output[length as usize + 2..], *b"xyyz");
}

#[test]
fn few_bytes_and_few_slots() {
    for size in 5..30 {
        check(&literals(size));
        let mut items = literals(2);
        items.push(Item::LzRepeat {
            length: size as u32,
            index: 1,
        });
        check(&items);
    }
    // A chunk of two bytes has a code of a single offset slot.
    check_chunk(&check(&literals(2)), &expand(&literals(2)));
    let one = [
        Item::Literal(5),
        Item::Lz {
            length: 1,
            distance: 1,
        },
    ];
    check(&one);
}

#[test]
fn slack_between_the_streams() {
    let items = literals(3000);
    let expected = expand(&items);
    for slack in [0, 2, 4, 100] {
        let mut encoder = Encoder::new(expected.len());
        for item in &items {
            encoder.item(*item);
        }
        check_chunk(&encoder.finish(slack), &expected);
    }
}

#[test]
fn decoder_is_reusable() {
    let code: Vec<Item> = (0..3000)
        .map(|number| {
            Item::Literal(if number % 7 == 0 {
                0xE8
            } else {
                (number % 3) as u8
            })
        })
        .collect();
    let chunks = [literals(700), code, literals(40)].map(|items| {
        let size = expand(&items).len();
        let chunk = encode(size, &items);
        let output = decode(&chunk, size).expect("a chunk");
        (chunk, output)
    });
    let mut decoder = Decoder::default();
    assert!(format!("{decoder:?}").contains("Decoder"));
    for round in 0..20 {
        let (chunk, expected) = &chunks[round * 5 % 3];
        let mut output = vec![0x55; expected.len()];
        assert!(
            decoder
                .decode(&chunk[..chunk.len() - 2 * (round % 9)], &mut output)
                .is_ok()
                || round % 9 > 0
        );
        assert_eq!(decoder.decode(chunk, &mut output), Ok(()));
        assert!(output == *expected, "round {round}");
    }
    let mut copy = decoder.clone();
    let (chunk, expected) = &chunks[1];
    let mut output = vec![0; expected.len()];
    assert_eq!(copy.decode(chunk, &mut output), Ok(()));
    assert!(output == *expected);
}
