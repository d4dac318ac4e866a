//! GUIDs: layout, text, versions.

use proptest::prelude::*;
use wcow_ntmeta::Guid;

#[test]
fn the_first_three_fields_are_little_endian() {
    let guid: Guid = "{00112233-4455-6677-8899-AABBCCDDEEFF}".parse().unwrap();
    assert_eq!(
        guid.bytes(),
        [
            0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
            0xee, 0xff
        ]
    );
    assert_eq!(guid.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    assert_eq!(
        format!("{guid:#}"),
        "{00112233-4455-6677-8899-aabbccddeeff}"
    );
    assert_eq!(
        guid.to_upper_string(),
        "00112233-4455-6677-8899-AABBCCDDEEFF"
    );
    assert_eq!(guid.to_u128(), 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
}

#[test]
fn texts_that_are_no_guid_are_refused() {
    #[track_caller]
    fn check(text: &str) {
        assert_eq!(text.parse::<Guid>().unwrap_err().found, text);
    }
    check("");
    check("{00112233-4455-6677-8899-aabbccddeeff");
    check("00112233-4455-6677-8899-aabbccddeeff}");
    check("00112233-4455-6677-8899-aabbccddeef");
    check("00112233-4455-6677-8899-aabbccddeeff0");
    check("00112233445566778899aabbccddeeff");
    check("00112233-4455-6677-8899+aabbccddeeff");
    check("0011223g-4455-6677-8899-aabbccddeeff");
    check("00112233-4455-6677-8899-aabbccddeeé");
}

proptest! {
    #[test]
    fn text_and_serde_lead_back(value: u128) {
        let guid = Guid::from_u128(value);
        prop_assert_eq!(guid.to_string().parse::<Guid>().unwrap(), guid);
        prop_assert_eq!(format!("{{{}}}", guid.to_upper_string()).parse::<Guid>().unwrap(), guid);
        prop_assert_eq!(Guid::from_bytes(guid.bytes()).to_u128(), value);
        let json = serde_json::to_string(&guid).unwrap();
        prop_assert_eq!(serde_json::from_str::<Guid>(&json).unwrap(), guid);
    }

    #[test]
    fn random_guids_say_version_4(random: u128) {
        let text = Guid::v4_from(random).to_string();
        prop_assert_eq!(&text[14..15], "4");
        prop_assert!("89ab".contains(&text[19..20]));
        let fixed = 0xf << 76 | 0x3 << 62;
        prop_assert_eq!(Guid::v4_from(random).to_u128() & !fixed, random & !fixed);
    }
}
