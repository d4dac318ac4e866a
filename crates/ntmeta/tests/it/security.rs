//! Security descriptors, SDDL and SIDs.

use proptest::prelude::*;
use wcow_ntmeta::{SecurityDescriptor, SecurityDescriptorError, Sid};

/// The descriptors that a known tool writes for every directory and every file of a layer.
const DIRECTORY: (&str, &str) = (
    "O:BAG:SYD:(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;;FA;;;BA)(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)(A;CI;LC;;;BU)(A;CI;DC;;;BU)",
    concat!(
        "0100048014000000240000000000000030000000010200000000000520000000200200000101000000000005120000000200",
        "a8000700000000031800ff011f000102000000000005200000002002000000031400ff011f00010100000000000512000000",
        "00001800ff011f0001020000000000052000000020020000000b14000000001001010000000000030000000000031800a900",
        "1200010200000000000520000000210200000002180004000000010200000000000520000000210200000002180002000000",
        "01020000000000052000000021020000",
    ),
);
const FILE: (&str, &str) = (
    "O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU)",
    concat!(
        "0100048014000000240000000000000030000000010200000000000520000000200200000101000000000005120000000200",
        "4c000300000000001800ff011f000102000000000005200000002002000000001400ff011f00010100000000000512000000",
        "00001800a900120001020000000000052000000021020000",
    ),
);

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|index| u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).expect("two digits"))
        .collect()
}

#[test]
fn sddl_and_bytes_of_another_tool_agree() {
    for (sddl, hex) in [DIRECTORY, FILE] {
        assert_eq!(
            SecurityDescriptor::from_sddl(sddl).unwrap().as_bytes(),
            bytes(hex)
        );
        assert_eq!(
            SecurityDescriptor::parse(bytes(hex)).unwrap().to_sddl(),
            sddl
        );
    }
}

#[test]
fn sddl_leads_back() {
    #[track_caller]
    fn check(text: &str) {
        let descriptor = SecurityDescriptor::from_sddl(text).unwrap();
        assert_eq!(descriptor.to_sddl(), text);
        assert_eq!(
            SecurityDescriptor::parse(descriptor.as_bytes().to_vec()),
            Ok(descriptor.clone())
        );
        let json = serde_json::to_string(&descriptor).unwrap();
        assert_eq!(
            serde_json::from_str::<SecurityDescriptor>(&json).unwrap(),
            descriptor
        );
    }
    check("");
    check("O:SY");
    check("O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:BA");
    check("D:");
    check("D:NO_ACCESS_CONTROL");
    check("D:P(A;;FA;;;SY)");
    check("D:PARAI(D;OICINPIOID;FR;;;WD)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)(A;;GXGR;;;AU)");
    check("O:BAG:BAD:(A;;KR;;;BU)S:AI(AU;SAFA;FA;;;WD)(ML;;NWNR;;;HI)");
    check(
        "D:(OA;;RPWP;bf967a86-0de6-11d0-a285-00aa003049e2;;SY)(OD;;CC;;bf967a86-0de6-11d0-a285-00aa003049e2;WD)",
    );
    check("D:(HEX;0900180001000000010100000000000100000000aabbccdd)(A;;FA;;;IU)");
    check("D:(HEX;7f000400)");
}

#[test]
fn other_spellings_of_sddl_are_read() {
    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(
            SecurityDescriptor::from_sddl(text).unwrap().to_sddl(),
            shown
        );
    }
    check(
        "D:(A;;0x1F01FF;;;S-1-5-18)G:S-1-5-32-544",
        "G:BAD:(A;;FA;;;SY)",
    );
    check("O:ba", "O:BA");
    check(
        "D:(A;;KX;;;WD)(A;;FRFX;;;WD)(A;;3;;;WD)",
        "D:(A;;KR;;;WD)(A;;0x1200a9;;;WD)(A;;CCDC;;;WD)",
    );
}

#[test]
fn errors_in_sddl_say_where() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(
            SecurityDescriptor::from_sddl(text).unwrap_err().to_string(),
            expected
        );
    }
    check(
        "X:",
        r#"sddl: expected O:, G:, D: or S: at byte 0, found "X:""#,
    );
    check(
        "O:LA",
        r#"sddl: expected a SID that needs no domain at byte 2, found "LA""#,
    );
    check(
        "O:??",
        r#"sddl: expected a SID or its abbreviation at byte 2, found "??""#,
    );
    check(
        "O:BAD:(A;;FA;;BA)",
        r#"sddl: expected six fields with ; between them at byte 7, found "A;;FA;;BA""#,
    );
    check(
        "D:(Q;;FA;;;BA)",
        r#"sddl: expected an entry type at byte 3, found "Q""#,
    );
    check(
        "D:(A;;FQ;;;BA)",
        r#"sddl: expected rights such as FA or 0x1200a9 at byte 6, found "FQ""#,
    );
    check(
        "D:(A;;FA;;;BA",
        r#"sddl: expected an entry in parentheses at byte 2, found "(A;;FA;;;BA""#,
    );
    check(
        "D:Z",
        r#"sddl: expected a list flag (P, AR, AI) or an entry at byte 2, found "Z""#,
    );
    check(
        "D:(A;;FA;x;;BA)",
        r#"sddl: expected no object type in an entry of this type at byte 9, found "x""#,
    );
    check(
        "é:",
        r#"sddl: expected O:, G:, D: or S: at byte 0, found "é""#,
    );
    check(
        "D:(HEX;0)",
        r#"sddl: expected an entry as hexadecimal digits at byte 3, found "HEX;0""#,
    );
}

#[test]
fn damaged_descriptors_are_refused() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut Vec<u8>), expected: &str) {
        let mut damaged = bytes(FILE.1);
        change(&mut damaged);
        let error: SecurityDescriptorError = SecurityDescriptor::parse(damaged).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    check(
        |all| all.truncate(19),
        "security descriptor: expected 20 to 1048576 bytes, found 19",
    );
    check(
        Vec::clear,
        "security descriptor: expected 20 to 1048576 bytes, found 0",
    );
    check(
        |all| all[0] = 2,
        "security descriptor: expected revision 1, found 2",
    );
    check(
        |all| all[3] = 0,
        "security descriptor: expected the self-relative bit in control, found 0x0004",
    );
    check(
        |all| all[4] = 19,
        "security descriptor: expected a SID for the owner at offset 0x13, found none",
    );
    check(
        |all| all[11] = 255,
        "security descriptor: expected a SID for the group at offset 0xff000024, found none",
    );
    check(
        |all| all[21] = 16,
        "security descriptor: expected a SID for the owner at offset 0x14, found none",
    );
    check(
        |all| all[16] = 120,
        "security descriptor: expected an access list for the DACL at offset 0x78, found 4 bytes instead of a header of 8",
    );
    check(
        |all| all[50] = 0x4d,
        "security descriptor: expected an access list for the DACL at offset 0x30, found size 77, with 76 bytes present",
    );
    check(
        |all| all[52] = 4,
        "security descriptor: expected an access list for the DACL at offset 0x30, found entry 3 of 4 past the end",
    );
    check(
        |all| all[58] = 3,
        "security descriptor: expected an access list for the DACL at offset 0x30, found entry 0 with size 3",
    );
    check(
        |all| all[65] = 5,
        "security descriptor: expected an access list for the DACL at offset 0x30, found entry 0 of type 0 without a valid SID",
    );
    check(
        |all| all[12] = 121,
        "security descriptor: expected an access list for the SACL at offset 0x79, found 3 bytes instead of a header of 8",
    );
}

#[test]
fn sids_lead_back() {
    #[track_caller]
    fn check(text: &str) {
        let sid: Sid = text.parse().unwrap();
        assert_eq!(sid.to_string(), text);
        assert_eq!(
            Sid::from_prefix(&sid.to_bytes()),
            Some((sid.clone(), sid.to_bytes().len()))
        );
    }
    check("S-1-5-32-544");
    check("S-1-0");
    check("S-1-0x123456789abc-4294967295");
    check("S-1-5-21-1-2-3-500");
    for bad in [
        "",
        "S-1-",
        "S-2-5",
        "S-1-5-",
        "S-1-5-+1",
        "S-1-5-4294967296",
        "S-1-0x1000000000000",
        "BA",
    ] {
        assert_eq!(bad.parse::<Sid>().unwrap_err().found, bad);
    }
    assert!(format!("S-1-5{}", "-1".repeat(15)).parse::<Sid>().is_ok());
    assert!(format!("S-1-5{}", "-1".repeat(16)).parse::<Sid>().is_err());
}

/// The furthest byte that owner, group and both lists claim, read without any help from the code under test.
fn furthest(all: &[u8]) -> usize {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([all[at], all[at + 1]]));
    let u32_at = |at: usize| u16_at(at) | u16_at(at + 2) << 16;
    let sid_end = |at: usize| at + 8 + 4 * usize::from(all[at + 1]);
    let mut end = 20;
    for at in [u32_at(4), u32_at(8)].into_iter().filter(|at| *at != 0) {
        assert!(at >= 20);
        end = end.max(sid_end(at));
    }
    for at in [u32_at(12), u32_at(16)].into_iter().filter(|at| *at != 0) {
        assert!(at >= 20);
        let list_end = at + u16_at(at + 2);
        let mut ace = at + 8;
        for _ in 0..u16_at(at + 4) {
            let size = u16_at(ace + 2);
            assert!(size >= 4 && (all[ace] > 3 || sid_end(ace + 8) <= ace + size));
            ace += size;
        }
        assert!(ace <= list_end);
        end = end.max(list_end);
    }
    end
}

proptest! {
    #[test]
    fn what_is_accepted_lies_inside(edits in prop::collection::vec((0usize..200, any::<u8>()), 0..6), cut in 0usize..200) {
        let mut all = bytes(DIRECTORY.1);
        for (at, value) in edits {
            if let Some(byte) = all.get_mut(at) {
                *byte = value;
            }
        }
        if cut < 40 {
            all.truncate(all.len() - cut);
        }
        if let Ok(descriptor) = SecurityDescriptor::parse(all.clone()) {
            prop_assert!(furthest(&all) <= all.len());
            let text = descriptor.to_sddl();
            prop_assert_eq!(SecurityDescriptor::from_sddl(&text).unwrap().to_sddl(), text);
        }
    }

    #[test]
    fn sddl_of_any_entries_leads_back(
        aces in prop::collection::vec((0u8..4, any::<u8>(), any::<u32>(), 0u64..1 << 48, prop::collection::vec(any::<u32>(), 0..16)), 0..6)
    ) {
        let mut list = Vec::new();
        for (kind, flags, mask, authority, subs) in &aces {
            let sid = Sid::new(*authority, subs).unwrap().to_bytes();
            list.extend([*kind, *flags]);
            list.extend(u16::try_from(8 + sid.len()).unwrap().to_le_bytes());
            list.extend(mask.to_le_bytes());
            list.extend(sid);
        }
        let mut all = vec![1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 2, 0];
        all.extend(u16::try_from(8 + list.len()).unwrap().to_le_bytes());
        all.extend([u8::try_from(aces.len()).unwrap(), 0, 0, 0]);
        all.extend(list);
        let descriptor = SecurityDescriptor::parse(all).unwrap();
        prop_assert_eq!(SecurityDescriptor::from_sddl(&descriptor.to_sddl()).unwrap(), descriptor);
    }
}
