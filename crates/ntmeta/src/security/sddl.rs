//! SDDL, the text form of security descriptors: MS-DTYP section 2.5.1.

use thiserror::Error;

use super::acl::{self, Ace, INHERITED_TYPE_PRESENT, OBJECT_TYPE_PRESENT};
use super::{DACL_PRESENT, HEADER_LEN, SACL_PRESENT, SELF_RELATIVE, SecurityDescriptor};
use crate::{Guid, Sid, hex};

/// Type letters of the entries that are read and written in full.
const KINDS: &[(u8, &str)] = &[
    (0x00, "A"),
    (0x01, "D"),
    (0x02, "AU"),
    (0x03, "AL"),
    (0x05, "OA"),
    (0x06, "OD"),
    (0x07, "OU"),
    (0x11, "ML"),
    (0x13, "SP"),
];

const ACE_FLAGS: &[(u32, &str)] = &[
    (0x01, "OI"),
    (0x02, "CI"),
    (0x04, "NP"),
    (0x08, "IO"),
    (0x10, "ID"),
    (0x20, "CR"),
    (0x40, "SA"),
    (0x80, "FA"),
];

/// Rights that are written when they are the whole mask.
const WHOLE_RIGHTS: &[(u32, &str)] = &[
    (0x001f_01ff, "FA"),
    (0x0012_0089, "FR"),
    (0x0012_0116, "FW"),
    (0x0012_00a0, "FX"),
    (0x000f_003f, "KA"),
    (0x0002_0019, "KR"),
    (0x0002_0006, "KW"),
];

/// Rights of one bit, in the order Windows writes them.
const BIT_RIGHTS: &[(u32, &str)] = &[
    (0x1000_0000, "GA"),
    (0x2000_0000, "GX"),
    (0x4000_0000, "GW"),
    (0x8000_0000, "GR"),
    (0x0000_0001, "CC"),
    (0x0000_0002, "DC"),
    (0x0000_0004, "LC"),
    (0x0000_0008, "SW"),
    (0x0000_0010, "RP"),
    (0x0000_0020, "WP"),
    (0x0000_0040, "DT"),
    (0x0000_0080, "LO"),
    (0x0000_0100, "CR"),
    (0x0001_0000, "SD"),
    (0x0002_0000, "RC"),
    (0x0004_0000, "WD"),
    (0x0008_0000, "WO"),
];

/// The rights of mandatory labels.
const LABEL_RIGHTS: &[(u32, &str)] = &[(1, "NW"), (2, "NR"), (4, "NX")];
const LABEL_KIND: u8 = 0x11;

const DACL_FLAGS: &[(u32, &str)] = &[(0x1000, "P"), (0x0100, "AR"), (0x0400, "AI")];
const SACL_FLAGS: &[(u32, &str)] = &[(0x2000, "P"), (0x0200, "AR"), (0x0800, "AI")];
const NULL_DACL: &str = "NO_ACCESS_CONTROL";

/// SIDs with an abbreviation, without those that depend on a domain.
const SIDS: &[(&str, u64, &[u32])] = &[
    ("WD", 1, &[0]),
    ("CO", 3, &[0]),
    ("CG", 3, &[1]),
    ("OW", 3, &[4]),
    ("NU", 5, &[2]),
    ("IU", 5, &[4]),
    ("SU", 5, &[6]),
    ("AN", 5, &[7]),
    ("ED", 5, &[9]),
    ("PS", 5, &[10]),
    ("AU", 5, &[11]),
    ("RC", 5, &[12]),
    ("SY", 5, &[18]),
    ("LS", 5, &[19]),
    ("NS", 5, &[20]),
    ("WR", 5, &[33]),
    ("UD", 5, &[84, 0, 0, 0, 0, 0]),
    ("BA", 5, &[32, 544]),
    ("BU", 5, &[32, 545]),
    ("BG", 5, &[32, 546]),
    ("PU", 5, &[32, 547]),
    ("AO", 5, &[32, 548]),
    ("SO", 5, &[32, 549]),
    ("PO", 5, &[32, 550]),
    ("BO", 5, &[32, 551]),
    ("RE", 5, &[32, 552]),
    ("RU", 5, &[32, 554]),
    ("RD", 5, &[32, 555]),
    ("NO", 5, &[32, 556]),
    ("MU", 5, &[32, 558]),
    ("LU", 5, &[32, 559]),
    ("IS", 5, &[32, 568]),
    ("CY", 5, &[32, 569]),
    ("ER", 5, &[32, 573]),
    ("CD", 5, &[32, 574]),
    ("RA", 5, &[32, 575]),
    ("ES", 5, &[32, 576]),
    ("MS", 5, &[32, 577]),
    ("HA", 5, &[32, 578]),
    ("AA", 5, &[32, 579]),
    ("RM", 5, &[32, 580]),
    ("AC", 15, &[2, 1]),
    ("LW", 16, &[4096]),
    ("ME", 16, &[8192]),
    ("MP", 16, &[8448]),
    ("HI", 16, &[12288]),
    ("SI", 16, &[16384]),
];

/// Abbreviations that stand for different SIDs in different domains.
const DOMAIN_SIDS: &[&str] = &[
    "LA", "LG", "DA", "DU", "DG", "DC", "DD", "CA", "SA", "EA", "PA", "RS", "RO", "CN", "AP", "KA",
    "EK",
];

/// Why a text is not SDDL that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("sddl: expected {expected} at byte {offset}, found {found:?}")]
pub struct SddlError {
    /// What should stand there.
    pub expected: &'static str,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// What stands there.
    pub found: String,
}

/// What the four parts of a text say, before it is laid out as bytes.
#[derive(Default)]
struct Parts {
    control: u16,
    owner: Option<Vec<u8>>,
    group: Option<Vec<u8>>,
    sacl: Option<Vec<u8>>,
    dacl: Option<Vec<u8>>,
}

/// Writes a descriptor as text.
pub(super) fn write(descriptor: &SecurityDescriptor) -> String {
    let mut text = String::new();
    for (letter, sid) in [("O:", descriptor.owner()), ("G:", descriptor.group())] {
        if let Some(sid) = sid {
            text.push_str(letter);
            text.push_str(&sid_text(&sid));
        }
    }
    let control = descriptor.control();
    for (letter, present, field, flags) in [
        ("D:", DACL_PRESENT, 16, DACL_FLAGS),
        ("S:", SACL_PRESENT, 12, SACL_FLAGS),
    ] {
        if control & present == 0 {
            continue;
        }
        text.push_str(letter);
        for (bit, name) in flags {
            if u32::from(control) & bit != 0 {
                text.push_str(name);
            }
        }
        match descriptor.part(field) {
            Some(list) => {
                for ace in acl::entries(list).unwrap_or_default() {
                    text.push_str(&ace_text(&ace));
                }
            }
            None => text.push_str(NULL_DACL),
        }
    }
    text
}

/// Reads a text and lays it out: owner, group, SACL, DACL, in this order.
pub(super) fn parse(text: &str) -> Result<SecurityDescriptor, SddlError> {
    let mut parts = Parts::default();
    let mut rest = Cursor { text, offset: 0 };
    while !rest.text.is_empty() {
        let letter = rest.take(2);
        match letter.text {
            "O:" => parts.owner = Some(sid_from(&rest.section())?.to_bytes()),
            "G:" => parts.group = Some(sid_from(&rest.section())?.to_bytes()),
            "D:" => {
                parts.control |= DACL_PRESENT;
                parts.dacl = list_from(rest.section(), DACL_FLAGS, &mut parts.control)?;
            }
            "S:" => {
                parts.control |= SACL_PRESENT;
                parts.sacl = list_from(rest.section(), SACL_FLAGS, &mut parts.control)?;
            }
            _ => return Err(letter.error("O:, G:, D: or S:")),
        }
    }
    lay_out(&parts)
        .and_then(|bytes| SecurityDescriptor::parse(bytes).ok())
        .ok_or_else(|| SddlError {
            expected: "a descriptor of at most 1 MiB",
            offset: 0,
            found: format!("{} bytes of text", text.len()),
        })
}

fn lay_out(parts: &Parts) -> Option<Vec<u8>> {
    let mut header = vec![1, 0];
    header.extend((parts.control | SELF_RELATIVE).to_le_bytes());
    let mut body: Vec<u8> = Vec::new();
    for part in [&parts.owner, &parts.group, &parts.sacl, &parts.dacl] {
        let offset = if part.is_some() {
            u32::try_from(HEADER_LEN + body.len()).ok()?
        } else {
            0
        };
        header.extend(offset.to_le_bytes());
        body.extend(part.iter().flatten());
    }
    header.extend(body);
    Some(header)
}

fn ace_text(ace: &Ace<'_>) -> String {
    let kind = KINDS.iter().find(|(kind, _)| *kind == ace.kind);
    // What the fields cannot say (bytes behind the SID, an object type in a plain entry) is kept by the hex form.
    let (Some((_, kind)), Some(body)) = (kind, ace.body().filter(|body| body.trailing == 0)) else {
        return format!("(HEX;{})", hex::encode(ace.bytes));
    };
    let guid = |bytes: Option<[u8; 16]>| {
        bytes
            .map(|bytes| Guid::from_bytes(bytes).to_string())
            .unwrap_or_default()
    };
    let text = format!(
        "({kind};{};{};{};{};{})",
        joined(u32::from(ace.flags), ACE_FLAGS).unwrap_or_default(),
        rights_text(ace.kind, body.mask),
        guid(body.object),
        guid(body.inherited),
        sid_text(&body.sid)
    );
    // Unused bits in an object entry's own flags would be lost.
    let same = ace_from(Cursor {
        text: text.get(1..text.len() - 1).unwrap_or(""),
        offset: 0,
    });
    if same.is_ok_and(|bytes| bytes == ace.bytes) {
        text
    } else {
        format!("(HEX;{})", hex::encode(ace.bytes))
    }
}

fn rights_text(kind: u8, mask: u32) -> String {
    let whole = WHOLE_RIGHTS
        .iter()
        .find(|(bits, _)| *bits == mask)
        .map(|(_, name)| (*name).to_owned());
    let named = match kind {
        LABEL_KIND => joined(mask, LABEL_RIGHTS),
        _ => whole.or_else(|| joined(mask, BIT_RIGHTS)),
    };
    named.unwrap_or_else(|| format!("{mask:#x}"))
}

/// The names of all bits; `None` if a bit has no name.
fn joined(bits: u32, names: &[(u32, &str)]) -> Option<String> {
    let known = names.iter().fold(0, |all, (bit, _)| all | bit);
    (bits & !known == 0).then(|| {
        names
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(_, name)| *name)
            .collect()
    })
}

fn sid_text(sid: &Sid) -> String {
    let known = |(_, authority, subs): &&(&str, u64, &[u32])| {
        *authority == sid.authority() && *subs == sid.sub_authorities()
    };
    SIDS.iter()
        .find(known)
        .map_or_else(|| sid.to_string(), |(name, ..)| (*name).to_owned())
}

fn sid_from(cursor: &Cursor<'_>) -> Result<Sid, SddlError> {
    let known = SIDS
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(cursor.text));
    if let Some((_, authority, subs)) = known {
        return Sid::new(*authority, subs).ok_or_else(|| cursor.error("a SID"));
    }
    if DOMAIN_SIDS
        .iter()
        .any(|name| name.eq_ignore_ascii_case(cursor.text))
    {
        return Err(cursor.error("a SID that needs no domain"));
    }
    cursor
        .text
        .parse()
        .map_err(|_| cursor.error("a SID or its abbreviation"))
}

/// Reads flags and entries; `None` for the absent list that grants everything.
fn list_from(
    mut cursor: Cursor<'_>,
    flags: &[(u32, &str)],
    control: &mut u16,
) -> Result<Option<Vec<u8>>, SddlError> {
    let mut null = false;
    let mut head = cursor.take(cursor.text.find('(').unwrap_or(cursor.text.len()));
    while !head.text.is_empty() {
        let flag = flags.iter().find(|(_, name)| head.text.starts_with(name));
        if let Some((bit, name)) = flag {
            *control |= u16::try_from(*bit).unwrap_or(0);
            head.take(name.len());
        } else if head.text.starts_with(NULL_DACL) {
            null = true;
            head.take(NULL_DACL.len());
        } else {
            return Err(head.error("a list flag (P, AR, AI) or an entry"));
        }
    }
    if null && cursor.text.is_empty() {
        return Ok(None);
    }
    let start = cursor.error("a list of at most 64 KiB");
    let mut aces = Vec::new();
    let mut count: u16 = 0;
    let mut revision = 2;
    while !cursor.text.is_empty() {
        let (Some(end), true) = (cursor.text.find(')'), cursor.text.starts_with('(')) else {
            return Err(cursor.error("an entry in parentheses"));
        };
        cursor.take(1);
        let ace = ace_from(cursor.take(end - 1))?;
        cursor.take(1);
        if ace.first().is_some_and(|kind| (0x05..=0x08).contains(kind)) {
            revision = 4;
        }
        aces.extend(ace);
        count = count.checked_add(1).ok_or_else(|| start.clone())?;
    }
    let size = u16::try_from(aces.len() + 8).map_err(|_| start)?;
    let mut list = vec![revision, 0];
    list.extend(size.to_le_bytes());
    list.extend(count.to_le_bytes());
    list.extend([0, 0]);
    list.extend(aces);
    Ok(Some(list))
}

/// Reads what stands between the parentheses of one entry, and lays it out.
fn ace_from(cursor: Cursor<'_>) -> Result<Vec<u8>, SddlError> {
    if let Some(digits) = cursor.text.strip_prefix("HEX;") {
        return hex::decode(digits).ok_or_else(|| cursor.error("an entry as hexadecimal digits"));
    }
    let mut fields = Vec::new();
    let mut offset = cursor.offset;
    for text in cursor.text.split(';') {
        fields.push(Cursor { text, offset });
        offset += text.len() + 1;
    }
    let [kind, flags, rights, object, inherited, sid] = fields.as_slice() else {
        return Err(cursor.error("six fields with ; between them"));
    };
    let kind = KINDS
        .iter()
        .find(|(_, name)| *name == kind.text)
        .ok_or_else(|| kind.error("an entry type"))?
        .0;
    let flags = bits_from(flags, &[ACE_FLAGS]).and_then(|bits| u8::try_from(bits).ok());
    let flags = flags.ok_or_else(|| cursor.error("entry flags such as OICI"))?;
    let tables: &[_] = if kind == LABEL_KIND {
        &[LABEL_RIGHTS]
    } else {
        &[WHOLE_RIGHTS, &[KEY_EXECUTE], BIT_RIGHTS]
    };
    let mask =
        bits_from(rights, tables).ok_or_else(|| rights.error("rights such as FA or 0x1200a9"))?;

    let mut body = mask.to_le_bytes().to_vec();
    if (0x05..=0x07).contains(&kind) {
        let bit = |field: &Cursor<'_>, bit| if field.text.is_empty() { 0 } else { bit };
        let present = bit(object, OBJECT_TYPE_PRESENT) | bit(inherited, INHERITED_TYPE_PRESENT);
        body.extend(present.to_le_bytes());
        for field in [object, inherited] {
            if !field.text.is_empty() {
                let guid: Guid = field.text.parse().map_err(|_| field.error("a GUID"))?;
                body.extend(guid.bytes());
            }
        }
    } else if let Some(field) = [object, inherited]
        .into_iter()
        .find(|field| !field.text.is_empty())
    {
        return Err(field.error("no object type in an entry of this type"));
    }
    body.extend(sid_from(sid)?.to_bytes());
    let size =
        u16::try_from(body.len() + 4).map_err(|_| cursor.error("an entry of at most 64 KiB"))?;
    let mut ace = vec![kind, flags];
    ace.extend(size.to_le_bytes());
    ace.extend(body);
    Ok(ace)
}

/// `KX` is `KR` by another name, so it is read and never written.
const KEY_EXECUTE: (u32, &str) = (0x0002_0019, "KX");

/// Reads a number, or names in a row.
fn bits_from(cursor: &Cursor<'_>, tables: &[&[(u32, &str)]]) -> Option<u32> {
    let mut rest = cursor.text;
    if let Some(digits) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        return (!digits.starts_with('+')).then(|| u32::from_str_radix(digits, 16).ok())?;
    }
    if rest.starts_with(|first: char| first.is_ascii_digit()) {
        return rest.parse().ok();
    }
    let mut bits = 0;
    while !rest.is_empty() {
        let (bit, name) = tables
            .iter()
            .copied()
            .flatten()
            .find(|(_, name)| rest.starts_with(name))?;
        bits |= bit;
        rest = rest.strip_prefix(name)?;
    }
    Some(bits)
}

/// A piece of the text, and where it stands.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Splits off the first `len` bytes, or all if there are fewer or a character stands in the way.
    fn take(&mut self, len: usize) -> Cursor<'a> {
        let (head, tail) = self.text.split_at_checked(len).unwrap_or((self.text, ""));
        let taken = Cursor {
            text: head,
            offset: self.offset,
        };
        *self = Cursor {
            text: tail,
            offset: self.offset + head.len(),
        };
        taken
    }

    /// Splits off everything up to the letter of the next part.
    fn section(&mut self) -> Cursor<'a> {
        self.take(
            self.text
                .find(':')
                .map_or(self.text.len(), |colon| colon.saturating_sub(1)),
        )
    }

    fn error(&self, expected: &'static str) -> SddlError {
        SddlError {
            expected,
            offset: self.offset,
            found: self.text.chars().take(40).collect(),
        }
    }
}
