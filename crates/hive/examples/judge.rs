//! Hives for other programs to read, and what this crate reads, in a form that can be compared.
//!
//! ```text
//! cargo run -p wcow-hive --example judge -- build DIR   writes hives into DIR
//! cargo run -p wcow-hive --example judge -- dump FILE   prints what a hive holds
//! cargo run -p wcow-hive --example judge -- hivexml < XML   prints the output of hivexml in the same form
//! ```
//!
//! A dump has one line for each key, `path<TAB>key<TAB>`, and one for each value,
//! `path<TAB>name<TAB>type number<TAB>data in hex`, sorted. Backslashes, control and non-ASCII characters are escaped as
//! Rust does it, and path parts are joined by `/`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

use wcow_hive::{Hive, HiveBuilder, Key, Limits, ValueKind, empty_hive, verify};
use wcow_ntmeta::WideName;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["build", dir] => build(Path::new(dir)),
        ["dump", file] => dump(&std::fs::read(file)?),
        _ => Err("usage: judge build DIR | dump FILE".into()),
    }
}

fn build(dir: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join("empty"), empty_hive("empty"))?;
    for (name, fill) in [
        ("types", types as Fill),
        ("names", names),
        ("nested", nested),
        ("many", many),
        ("sizes", sizes),
    ] {
        let mut builder = HiveBuilder::new(name);
        builder.timestamp(wcow_ntmeta::FileTime::from_ticks(130_840_771_550_510_000));
        fill(&mut builder)?;
        std::fs::write(dir.join(name), builder.build())?;
    }
    Ok(())
}

type Fill = fn(&mut HiveBuilder) -> Result<(), Box<dyn Error>>;

/// Every type, with right data, with none, and with data of a size that does not belong to it.
fn types(builder: &mut HiveBuilder) -> Result<(), Box<dyn Error>> {
    for code in (0..=11).chain([12, 0x1000, 0xffff_0001]) {
        let kind = ValueKind::from(code);
        for len in [0, 1, 3, 4, 5, 8, 10] {
            let data: Vec<u8> = (0..len).map(|i| b"a\0\xe9\0\0\0b\0\0\0"[i]).collect();
            builder.value("types", &format!("{code} {len}"), kind, &data)?;
        }
    }
    builder.value(
        "text",
        "sz",
        ValueKind::Sz,
        &wide("Windows Server 2016 Technical Preview 3\0"),
    )?;
    builder.value(
        "text",
        "expand",
        ValueKind::ExpandSz,
        &wide("%SystemRoot%\\System32\0"),
    )?;
    builder.value(
        "text",
        "link",
        ValueKind::Link,
        &wide("\\Registry\\Machine"),
    )?;
    builder.value(
        "text",
        "multi",
        ValueKind::MultiSz,
        &wide("one\0two\0three\0\0"),
    )?;
    builder.value("text", "", ValueKind::Sz, &wide("the default value\0"))?;
    Ok(())
}

/// Names in each stored form.
fn names(builder: &mut HiveBuilder) -> Result<(), Box<dyn Error>> {
    for name in [
        "plain",
        "with space",
        "sla/sh",
        "caf\u{e9}",
        "\u{df}",
        "\u{3b1}\u{3b2}",
        "\u{65e5}\u{672c}",
        "\u{1f600}",
        "a,b",
        "Z",
        "a",
        "_",
    ] {
        builder.value(name, name, ValueKind::Dword, &1u32.to_le_bytes())?;
        builder.value(&format!("all\\{name}"), "", ValueKind::Sz, &wide(name))?;
    }
    builder.key(&"k".repeat(255))?;
    builder.value("long", &"v".repeat(1000), ValueKind::None, &[])?;
    builder.class_name("class", "A class")?;
    Ok(())
}

fn nested(builder: &mut HiveBuilder) -> Result<(), Box<dyn Error>> {
    let mut path = "level".to_owned();
    for level in 0..100u32 {
        builder.value(&path, "level", ValueKind::Dword, &level.to_le_bytes())?;
        path.push_str(&format!("\\l{level}"));
    }
    Ok(())
}

/// Enough subkeys for an index over several lists.
fn many(builder: &mut HiveBuilder) -> Result<(), Box<dyn Error>> {
    for i in 0..3000u32 {
        builder.value(
            &format!("many\\key {i}"),
            "",
            ValueKind::Dword,
            &i.to_le_bytes(),
        )?;
    }
    for i in 0..507u32 {
        builder.key(&format!("one list\\{i}"))?;
        builder.value(
            "values",
            &format!("value {i}"),
            ValueKind::Qword,
            &u64::from(i).to_le_bytes(),
        )?;
    }
    Ok(())
}

/// Data around every size at which the layout changes.
fn sizes(builder: &mut HiveBuilder) -> Result<(), Box<dyn Error>> {
    for len in [
        0usize, 4, 5, 4000, 4060, 4061, 8192, 16343, 16344, 16345, 32688, 32689, 100_000,
    ] {
        let data: Vec<u8> = (0..len)
            .map(|i| (i * 7 + i / 251).to_le_bytes()[0])
            .collect();
        builder.value("sizes", &len.to_string(), ValueKind::Binary, &data)?;
    }
    Ok(())
}

fn wide(text: &str) -> Vec<u8> {
    WideName::from(text).to_le_bytes()
}

fn dump(bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let hive = Hive::parse(bytes)?;
    let summary = verify(&hive, Limits::default())?;
    eprintln!("{summary:?}");
    let mut lines = Vec::new();
    dump_key(&hive.root()?, "", &mut lines)?;
    lines.sort();
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn dump_key(key: &Key<'_>, path: &str, lines: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    lines.push(format!(
        "{}\tkey\t",
        if path.is_empty() { "/" } else { path }
    ));
    for value in key.values() {
        let value = value?;
        let hex: String = value
            .data()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        lines.push(format!(
            "{path}/\t{}\t{}\t{hex}",
            escape(&value.name()),
            value.kind().code()
        ));
    }
    for subkey in key.subkeys() {
        let subkey = subkey?;
        dump_key(
            &subkey,
            &format!("{path}/{}", escape(&subkey.name())),
            lines,
        )?;
    }
    Ok(())
}

/// The name in printable ASCII without `/`: other characters as `\u{..}`.
fn escape(name: &WideName) -> String {
    let plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '/' | '\\');
    char::decode_utf16(name.units().iter().copied())
        .map(|c| match c {
            Ok(c) if plain(c) => c.to_string(),
            Ok(c) => format!("\\u{{{:x}}}", u32::from(c)),
            Err(lone) => format!("\\u{{{:x}}}", lone.unpaired_surrogate()),
        })
        .collect()
}
