//! Crafted chunks that decode.
use crate::encode::{Item, code_lengths, encode, encode_with, expand};
use crate::{check, decode};

/// Code lengths in which "a" is the bit 0 and a match of 1 back with a length byte the bit 1.
fn one_bit_codes() -> [u8; 512] {
    let mut lengths = [0; 512];
    lengths[usize::from(b'a')] = 1;
    lengths[256 + 15] = 1;
    lengths
}

#[test]
fn length_forms() {
    for length in [3, 4, 16, 17, 18, 19, 271, 272, 273, 274, 1000, 65535] {
        let items = [
            Item::Literal(b'x'),
            Item::Match {
                length,
                distance: 1,
            },
        ];
        check(&items, &vec![b'x'; length + 1]);
    }
}

#[test]
fn wide_form_of_short_lengths() {
    for length in [3, 8, 17, 18, 272] {
        let items = [
            Item::Literal(b'x'),
            Item::WideMatch {
                length,
                distance: 1,
            },
            Item::Literal(b'y'),
        ];
        check(&items, &expand(&items));
    }
}

#[test]
fn length_bytes_between_units() {
    // Every phase of the bits at which a length byte can stand.
    for literals in 0..40 {
        let mut items = vec![Item::Literal(b'p'); literals + 1];
        items.extend([
            Item::Match {
                length: 20,
                distance: 1,
            },
            Item::Literal(b'q'),
            Item::Match {
                length: 500,
                distance: 2,
            },
            Item::Match {
                length: 18,
                distance: 17,
            },
            Item::Literal(b'r'),
        ]);
        check(&items, &expand(&items));
        items.extend([Item::Literal(b's'); 600]);
        check(&items, &expand(&items));
    }
}

#[test]
fn every_short_distance() {
    for distance in 1..40 {
        let mut items: Vec<Item> = (0..40).map(Item::Literal).collect();
        for length in [3, 7, 8, 9, 15, 16, 17, 40, 127, 128, 129, 300] {
            items.extend([Item::Match { length, distance }, Item::Literal(0xEE)]);
        }
        check(&items, &expand(&items));
    }
}

#[test]
fn farthest_match() {
    let mut items = vec![
        Item::Literal(b'a'),
        Item::Literal(b'b'),
        Item::Match {
            length: 65530,
            distance: 1,
        },
    ];
    items.push(Item::Match {
        length: 3,
        distance: 65531,
    });
    check(&items, &expand(&items));
}

#[test]
fn every_chunk_size() {
    for log2 in 12..=16 {
        for size in [(1 << log2) - 1, 1 << log2] {
            let mut items: Vec<Item> = (0..=255).map(Item::Literal).collect();
            let mut missing = size - 256;
            while missing > 0 {
                let length = match missing {
                    700.. => 3 + missing % 600,
                    3.. => missing.min(40),
                    _ => 1,
                };
                items.push(if length < 3 {
                    Item::Literal(b'.')
                } else {
                    Item::Match {
                        length,
                        distance: 1 + missing % 200,
                    }
                });
                missing -= length;
            }
            let expected = expand(&items);
            assert_eq!(expected.len(), size);
            check(&items, &expected);
        }
    }
}

#[test]
fn rare_symbols_of_long_chunks() {
    // Each literal is half as frequent as the one before, so the codes of the last are long; so are those of the matches.
    let mut items: Vec<Item> = (1..30_000_u32)
        .map(|number| Item::Literal(number.trailing_zeros() as u8))
        .collect();
    for place in [5000, 10_000, 15_000, 25_000] {
        for (step, length) in [3, 16, 17, 18, 300, 1000].into_iter().enumerate() {
            items[place + 50 * step] = Item::Match {
                length,
                distance: place / 3 + step,
            };
        }
    }
    check(&items, &expand(&items));
}

#[test]
fn codes_longer_than_the_table() {
    let mut lengths = [0; 512];
    for (symbol, length) in lengths.iter_mut().enumerate().take(15) {
        *length = symbol as u8 + 1;
    }
    lengths[15] = 15;
    let items: Vec<Item> = (0..400_u32)
        .map(|number| Item::Literal((number * 7 % 16) as u8))
        .collect();
    assert_eq!(
        decode(&encode_with(&lengths, &items), 400),
        Ok(expand(&items))
    );
}

#[test]
fn all_symbols_in_one_code() {
    let lengths = code_lengths(&[1; 512], 15);
    let items: Vec<Item> = (0..=255).map(Item::Literal).collect();
    assert_eq!(
        decode(&encode_with(&lengths, &items), 256),
        Ok(expand(&items))
    );
}

#[test]
fn no_end_symbol() {
    let items = [Item::Literal(b'a'); 5];
    assert_eq!(
        decode(&encode_with(&one_bit_codes(), &items), 5),
        Ok(b"aaaaa".to_vec())
    );
}

#[test]
fn bytes_behind_the_end() {
    let mut chunk = encode(&[Item::Literal(b'a'), Item::Literal(b'b')]);
    chunk.extend([0xFF; 9]);
    assert_eq!(decode(&chunk, 2), Ok(b"ab".to_vec()));
}

#[test]
fn missing_units_are_zero_bits() {
    let chunk = encode_with(&one_bit_codes(), &[]);
    assert_eq!(decode(&chunk[..256], 300), Ok(vec![b'a'; 300]));
    // An odd byte is no unit.
    let mut odd = chunk[..256].to_vec();
    odd.push(0xFF);
    assert_eq!(decode(&odd, 300), Ok(vec![b'a'; 300]));
}

#[test]
fn missing_length_byte_is_zero() {
    let items = [
        Item::Literal(b'a'),
        Item::Match {
            length: 30,
            distance: 1,
        },
    ];
    let chunk = encode_with(&one_bit_codes(), &items);
    assert_eq!(chunk.len(), 261);
    // 18 bytes of match, then zero bits: more of the literal.
    assert_eq!(decode(&chunk[..260], 31), Ok(vec![b'a'; 31]));
}

#[test]
fn missing_wide_length_is_zero() {
    let items = [
        Item::Literal(b'a'),
        Item::Match {
            length: 1000,
            distance: 1,
        },
    ];
    let chunk = encode_with(&one_bit_codes(), &items);
    assert_eq!(chunk.len(), 263);
    // 3 bytes of match, then zero bits: more of the literal.
    for end in [261, 262] {
        assert_eq!(decode(&chunk[..end], 40), Ok(vec![b'a'; 40]));
    }
}

#[test]
fn matches_up_to_the_end() {
    // Bytes behind the end keep the decoder in its fast loop up to the last match.
    for distance in 1..=40 {
        for length in 25..60 {
            let mut items: Vec<Item> = (0..40).map(Item::Literal).collect();
            items.push(Item::Match { length, distance });
            let mut chunk = encode(&items);
            chunk.extend([0xFF; 40]);
            assert_eq!(decode(&chunk, 40 + length), Ok(expand(&items)));
        }
    }
}

#[test]
fn debug_shows_no_tables() {
    assert_eq!(
        format!("{:?}", wcow_xpress::Decoder::new()),
        "Decoder { .. }"
    );
}

#[test]
fn decoder_is_reusable_after_an_error() {
    let mut decoder = wcow_xpress::Decoder::default();
    let mut output = [0; 2];
    assert!(decoder.decode(&[0; 256], &mut output).is_err());
    let chunk = encode(&[Item::Literal(b'a'), Item::Literal(b'b')]);
    assert_eq!(decoder.clone().decode(&chunk, &mut output), Ok(()));
    assert_eq!(&output, b"ab");
}
