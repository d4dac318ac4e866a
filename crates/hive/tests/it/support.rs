//! What the tests share: dumps, and hives with single fields changed.

use std::collections::BTreeMap;

use wcow_hive::{
    CellOffset, Hive, HiveBuilder, HiveError, Key, Limits, Summary, ValueKind, verify,
};
use wcow_ntmeta::WideName;

/// Every value of a hive by key path and value name; a key without values stands there with its path alone.
pub(crate) type Dump = BTreeMap<(String, Option<String>), (u32, Vec<u8>)>;

pub(crate) fn dump(hive: &Hive<'_>) -> Result<Dump, HiveError> {
    let mut out = Dump::new();
    dump_key(&hive.root()?, String::new(), &mut out)?;
    Ok(out)
}

fn dump_key(key: &Key<'_>, path: String, out: &mut Dump) -> Result<(), HiveError> {
    for value in key.values() {
        let value = value?;
        let name = format!("{:?}", value.name());
        out.insert(
            (path.clone(), Some(name)),
            (value.kind().code(), value.data()?.into_owned()),
        );
    }
    for subkey in key.subkeys() {
        let subkey = subkey?;
        dump_key(&subkey, format!("{path}\\{:?}", subkey.name()), out)?;
    }
    out.insert((path, None), (0, Vec::new()));
    Ok(())
}

pub(crate) fn verified(bytes: &[u8]) -> Result<Summary, HiveError> {
    verify(&Hive::parse(bytes)?, Limits::default())
}

pub(crate) fn wide(text: &str) -> Vec<u8> {
    WideName::from(text).to_le_bytes()
}

/// A hive with each kind of record: `A` (with `B` and `C` in it, a class name, and values), and `Z`.
pub(crate) fn sample() -> Vec<u8> {
    let mut builder = HiveBuilder::new("sample");
    let big: Vec<u8> = (0..40_000u32).map(|i| i.to_le_bytes()[0]).collect();
    builder
        .key("A\\B")
        .unwrap()
        .key("A\\C")
        .unwrap()
        .key("Z")
        .unwrap()
        .class_name("A", "class")
        .unwrap();
    builder
        .value("A", "text", ValueKind::Sz, &wide("some text\0"))
        .unwrap();
    builder.value("A", "big", ValueKind::Binary, &big).unwrap();
    builder
        .value("A", "inline", ValueKind::Dword, &7u32.to_le_bytes())
        .unwrap();
    builder.build()
}

/// Where the key `path` of `bytes` stands in the file, after the size of its cell.
pub(crate) fn key_at(bytes: &[u8], path: &str) -> usize {
    let hive = Hive::parse(bytes).unwrap();
    content(hive.open(path).unwrap().unwrap().offset())
}

/// Where the value `name` of the key `path` stands in the file, after the size of its cell.
pub(crate) fn value_at(bytes: &[u8], path: &str, name: &str) -> usize {
    let hive = Hive::parse(bytes).unwrap();
    let key = hive.open(path).unwrap().unwrap();
    content(key.value(name).unwrap().unwrap().offset())
}

pub(crate) fn content(at: CellOffset) -> usize {
    usize::try_from(at.file_offset()).unwrap() + 4
}

/// Where the cell that the field at `at` points to has its content in the file.
pub(crate) fn follow(bytes: &[u8], at: usize) -> usize {
    content(CellOffset(u32_at(bytes, at)))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub(crate) fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes[at..at + new.len()].copy_from_slice(new);
}

/// Makes the checksum right again after the base block was changed.
pub(crate) fn fix_checksum(bytes: &mut [u8]) {
    let sum = bytes[..508]
        .chunks(4)
        .fold(0, |sum, word| sum ^ u32_at(word, 0));
    put(bytes, 508, &sum.to_le_bytes());
}
