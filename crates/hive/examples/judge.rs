//! Hives for other programs to read, and what this crate reads, in a form that can be compared.
//!
//! ```text
//! cargo run -p wcow-hive --example judge -- build DIR   writes hives into DIR
//! cargo run -p wcow-hive --example judge -- dump FILE   prints what a hive holds
//! cargo run -p wcow-hive --example judge -- check FILE...   compares that with what reglookup and hivexsh print
//! cargo run -p wcow-hive --example judge -- write FILE  lets hivexsh write a hive, for `check`
//! ```
//!
//! A dump has one line for each key, `path<TAB>key<TAB>`, and one for each value,
//! `path<TAB>name<TAB>type number<TAB>data in hex`, sorted. Backslashes, control and non-ASCII characters are escaped as
//! Rust does it, and path parts are joined by `/`.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use wcow_hive::{Hive, HiveBuilder, HiveError, Key, Limits, Value, ValueKind, empty_hive, verify};
use wcow_ntmeta::WideName;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["build", dir] => build(Path::new(dir)),
        ["dump", file] => dump(&std::fs::read(file)?),
        ["write", file] => write(Path::new(file)),
        ["check", ref files @ ..] if !files.is_empty() => {
            files.iter().try_for_each(|file| check(file))
        }
        _ => Err("usage: judge build DIR | dump FILE | check FILE... | write FILE".into()),
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

/// Has hivexsh write a hive: subkeys, deletions, values of all types, large data, names in UTF-16.
fn write(file: &Path) -> Result<(), Box<dyn Error>> {
    let mut script = String::new();
    for name in [
        "one",
        "two",
        "gone",
        "with space",
        "caf\u{e9}",
        "\u{65e5}\u{672c}",
    ] {
        script += &format!("cd \\ \nadd {name}\ncd {name}\n");
        for i in 0..5 {
            script += &format!("add sub {i}\n");
        }
        script += "setval 7\n@\nstring:the default\ntext\nexpandstring:%a%\nnumber\ndword:0x1234\n";
        script += "big endian\nhex:5:00,00,00,07\nmulti\nhex:7:61,00,00,00,62,00,00,00,00,00\n";
        script += "qword\nhex:11:01,02,03,04,05,06,07,08\nlarge\nhex:3:";
        script += &vec!["5a"; 1000].join(",");
        script += "\n";
    }
    script += "cd \\gone\ndel\n";
    for i in 0..600 {
        script += &format!("cd \\two\nadd key {i}\n");
    }
    script += "commit\n";
    std::fs::write(file, empty_hive("written by hivexsh"))?;
    run(Command::new("hivexsh").arg("-w").arg(file), &script)?;
    Ok(())
}

/// Compares our reading of `file` with that of reglookup and of hivexsh, as sets of lines.
fn check(file: &str) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(file)?;
    let hive = Hive::parse(&bytes)?;
    let summary = verify(&hive, Limits::default())?;
    let (mut reglookup, mut hivexsh, mut script) =
        (BTreeSet::new(), BTreeSet::new(), String::new());
    reglookup.insert("/,KEY,".to_owned());
    expect(&hive.root()?, &[], &mut |path, key, value| {
        match value {
            None => script += &format!("cd \\{} \ncd\nlsval\n", path.join("\\")),
            Some(value) => {
                hivexsh.insert(format!("\\{}: {}", path.join("\\"), hivexsh_line(value)?));
            }
        }
        if value.is_some() || !path.is_empty() {
            reglookup.insert(reglookup_line(key, value)?);
        }
        Ok(())
    })?;
    let seen = run(Command::new("reglookup").arg(file), "")?;
    let seen = seen.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        match fields[..] {
            [path, kind, value, ..] if COMPARED.contains(&kind) => format!("{path},{kind},{value}"),
            [path, kind, ..] => format!("{path},{kind},"),
            _ => line.to_owned(),
        }
    });
    compare("reglookup", file, &reglookup, seen.collect())?;
    let seen = run(Command::new("hivexsh").arg(file), &script)?;
    let mut path = "";
    let mut found = BTreeSet::new();
    for line in seen.lines() {
        if line.starts_with('\\') {
            path = line;
        } else {
            found.insert(format!("{path}: {line}"));
        }
    }
    compare("hivexsh", file, &hivexsh, found)?;
    println!(
        "{file}: {} keys, {} values: the same in reglookup and hivexsh",
        summary.keys, summary.values
    );
    Ok(())
}

/// The types whose data reglookup prints without interpreting it as text.
const COMPARED: [&str; 3] = ["NONE", "BINARY", "KEY"];

type Seen<'s> = dyn FnMut(&[String], &[Key<'_>], Option<&Value<'_>>) -> Result<(), HiveError> + 's;

/// Calls `see` for every key, and for every value, with the keys from the root on.
fn expect(root: &Key<'_>, path: &[(String, Key<'_>)], see: &mut Seen<'_>) -> Result<(), HiveError> {
    let key = path.last().map_or(root, |(_, key)| key);
    let names: Vec<String> = path.iter().map(|(name, _)| name.clone()).collect();
    let keys: Vec<Key<'_>> = path.iter().map(|(_, key)| *key).collect();
    see(&names, &keys, None)?;
    for value in key.values() {
        see(&names, &keys, Some(&value?))?;
    }
    for subkey in key.subkeys() {
        let subkey = subkey?;
        let mut below = path.to_vec();
        below.push((subkey.name().to_string(), subkey));
        expect(root, &below, see)?;
    }
    Ok(())
}

fn reglookup_line(path: &[Key<'_>], value: Option<&Value<'_>>) -> Result<String, HiveError> {
    let mut out: String = path
        .iter()
        .map(|key| format!("/{}", quoted(&narrow(&key.name()), b",%\"/")))
        .collect();
    let Some(value) = value else {
        return Ok(out + ",KEY,");
    };
    let kind = match value.kind() {
        ValueKind::None => "NONE",
        ValueKind::Sz => "SZ",
        ValueKind::ExpandSz => "EXPAND_SZ",
        ValueKind::Binary => "BINARY",
        ValueKind::Dword => "DWORD",
        ValueKind::DwordBigEndian => "DWORD_BE",
        ValueKind::Link => "LINK",
        ValueKind::MultiSz => "MULTI_SZ",
        ValueKind::ResourceList => "RSRC_LIST",
        ValueKind::FullResourceDescriptor => "RSRC_DESC",
        ValueKind::ResourceRequirementsList => "RSRC_REQ_LIST",
        ValueKind::Qword => "QWORD",
        ValueKind::Unknown(code) => &format!("{code:#010X}").replace("0X", "0x"),
    };
    out += &format!("/{},{kind},", quoted(&narrow(&value.name()), b",%\"/"));
    let data = value.data()?;
    match kind {
        "NONE" | "BINARY" if data.is_empty() => out += "(null)",
        "NONE" | "BINARY" => out += &quoted(&data, b",%\""),
        _ => {}
    }
    Ok(out)
}

/// The bytes that reglookup shows of a name: ASCII as it is, anything else as it is stored.
fn narrow(name: &WideName) -> Vec<u8> {
    let bytes: Result<Vec<u8>, _> = name
        .units()
        .iter()
        .map(|&unit| u8::try_from(unit))
        .collect();
    bytes.unwrap_or_else(|_| name.to_le_bytes())
}

fn quoted(bytes: &[u8], special: &[u8]) -> String {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !special.contains(&byte);
    bytes
        .iter()
        .map(|&byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn hivexsh_line(value: &Value<'_>) -> Result<String, HiveError> {
    let escape = |text: String| text.replace('\\', "\\\\").replace('"', "\\\"");
    let name = value.name();
    let name = if name.is_empty() {
        "@".to_owned()
    } else {
        escape(name.to_string())
    };
    let (kind, data) = (value.kind().code(), value.data()?);
    let text = value
        .as_string()?
        .map(|text| escape(text.to_string()))
        .unwrap_or_default();
    let dword =
        |read: fn([u8; 4]) -> u32| data.first_chunk().map_or(u32::MAX, |bytes| read(*bytes));
    Ok(match kind {
        1 => format!("\"{name}\"=\"{text}\""),
        2 | 6 => format!("\"{name}\"=str({kind}):\"{text}\""),
        4 => format!("\"{name}\"=dword:{:08x}", dword(u32::from_le_bytes)),
        5 => format!("\"{name}\"=dword:{:08x}", dword(u32::from_be_bytes)),
        _ => {
            let bytes: Vec<String> = data.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\"{name}\"=hex({kind}):{}", bytes.join(","))
        }
    })
}

fn compare(
    judge: &str,
    file: &str,
    ours: &BTreeSet<String>,
    theirs: BTreeSet<String>,
) -> Result<(), Box<dyn Error>> {
    for line in ours.difference(&theirs) {
        eprintln!("{file}: only here: {line:.300}");
    }
    for line in theirs.difference(ours) {
        eprintln!("{file}: only in {judge}: {line:.300}");
    }
    if *ours == theirs {
        Ok(())
    } else {
        Err(format!("{file}: {judge} reads it differently").into())
    }
}

/// Runs a judge with `input`; its complaints about names outside ASCII are of no interest.
fn run(command: &mut Command, input: &str) -> Result<String, Box<dyn Error>> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = child
        .stdin
        .take()
        .ok_or("the judge has no standard input")?;
    let input = input.to_owned();
    let feed = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status).into());
    }
    feed.join()
        .map_err(|_| "the thread that feeds the judge ended early")??;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
