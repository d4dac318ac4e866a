//! Writes the types of HCS schema 2 and of HCN: names, types and versions from the tables `schema2.json` and `hcn.json` in
//! `crates/hcs-schema/data`, modules and sentences from the `.words` beside them. The result is committed; a step of CI sees that it is
//! what this would write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

mod names;
mod words;

use names::{constant_name, field_name, kind_name, rust_type, type_name, variant_name};
use words::{Module, Words};

/// The crate, from the root of the repository.
const CRATE: &str = "crates/hcs-schema";

/// A table, the sentences beside it, and the module that is written from both.
struct Set {
    /// The module, and what the two files are called.
    name: &'static str,
    title: &'static str,
}

const SETS: &[Set] = &[
    Set {
        name: "schema2",
        title: "schema 2",
    },
    Set {
        name: "hcn",
        title: "HCN",
    },
];

impl Set {
    fn note(&self) -> String {
        let Self { name, .. } = self;
        format!(
            "// Written by `cargo xtask schema`, from `data/{name}.json` and `data/{name}.words`.\n"
        )
    }
}

/// Documentation is wrapped here.
const WIDTH: usize = 120;

use crate::report::Report;
use crate::workspace::Workspace;

/// Writes every file.
pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let files = generate(&workspace.root)?;
    for (path, text) in &files {
        let path = workspace.root.join(path);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Report::noted(format!("{} files written", files.len())))
}

/// Refuses files that are not what [`run`] would write.
pub(crate) fn check(workspace: &Workspace) -> Result<Report> {
    let files = generate(&workspace.root)?;
    for (path, text) in &files {
        let committed = std::fs::read_to_string(workspace.root.join(path)).unwrap_or_default();
        if committed != *text {
            bail!("{} is not what `cargo xtask schema` writes", path.display());
        }
    }
    Ok(Report::noted(format!(
        "{} files are as they are written",
        files.len()
    )))
}

/// A name, the type of a field (none for a word), and the version that brought it.
struct Row {
    name: String,
    kind: String,
    since: String,
}

/// The table.
struct Table {
    enums: BTreeMap<String, Vec<Row>>,
    structs: BTreeMap<String, Vec<Row>>,
}

impl Table {
    fn read(text: &str) -> Result<Self> {
        let table: Value = serde_json::from_str(text).context("the table is no JSON")?;
        Ok(Self {
            enums: rows(&table, "enums")?,
            structs: rows(&table, "structs")?,
        })
    }

    /// The structs that a type is part of.
    fn users<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a Row)> {
        self.structs.iter().flat_map(move |(user, fields)| {
            fields
                .iter()
                .filter(move |field| kind_name(&field.kind).is_some_and(|kind| kind == name))
                .map(move |field| (user.as_str(), field))
        })
    }
}

fn rows(table: &Value, part: &str) -> Result<BTreeMap<String, Vec<Row>>> {
    let types = table.get(part).and_then(Value::as_object);
    let types = types.with_context(|| format!("the table has no `{part}`"))?;
    let mut all = BTreeMap::new();
    for (name, rows) in types {
        let rows = rows.as_array().into_iter().flatten().map(|row| {
            let text = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
            Some(Row {
                name: text("name")?,
                kind: text("type").unwrap_or_default(),
                since: text("since")?,
            })
        });
        let rows = rows.collect::<Option<Vec<Row>>>();
        all.insert(
            name.clone(),
            rows.with_context(|| format!("{name}: a row without name or version"))?,
        );
    }
    Ok(all)
}

/// The files, with their paths from the root of the repository.
fn generate(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for set in SETS {
        let read = |ending: &str| {
            let path = format!("{CRATE}/data/{}.{ending}", set.name);
            std::fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {path}"))
        };
        let mut table = Table::read(&read("json")?)?;
        let words = Words::read(&read("words")?)?;
        words.apply(&mut table)?;
        let folder = Path::new(CRATE).join("src").join(set.name);
        for module in &words.modules {
            let path = folder.join(format!("{}.rs", module.name));
            files.push((path, module_text(set, module, &table)?));
        }
        files.push((folder.join("table.rs"), table_text(set, &words, &table)));
    }
    Ok(files)
}

fn module_text(set: &Set, module: &Module, table: &Table) -> Result<String> {
    let mut structs = String::new();
    let mut enums = String::new();
    let mut numbers = String::new();
    let local = |name: &str| module.types.iter().any(|known| known.name == name);
    let fields = module
        .types
        .iter()
        .filter_map(|known| table.structs.get(&known.name));
    let mut used = fields.flatten().filter_map(|field| kind_name(&field.kind));
    let uses_others = used.any(|name| !local(name) && name != "Version");
    // A link that says what it need not say is an error.
    let link = |name: &str| {
        let rust = type_name(name);
        if uses_others || local(name) {
            format!("[`{rust}`]")
        } else {
            format!("[`{rust}`](crate::{}::{rust})", set.name)
        }
    };
    for known in &module.types {
        let docs = type_docs(known, table, &link);
        if let Some(fields) = table.structs.get(&known.name) {
            struct_text(&mut structs, known, &docs, fields)?;
        } else if let Some(rows) = table.enums.get(&known.name) {
            let text = if known.is_number {
                &mut numbers
            } else {
                &mut enums
            };
            enum_text(text, known, &docs, rows)?;
        }
    }
    let mut text = String::new();
    docs(&mut text, "//!", "", &module.doc);
    text.push('\n');
    text.push_str(&set.note());
    let has = |kind: &str| structs.contains(kind);
    let mut uses = String::new();
    if has("BTreeMap<") {
        uses.push_str("\nuse std::collections::BTreeMap;\n");
    }
    let mut own = String::new();
    if has("<Value>") || has(", Value>") {
        own.push_str("use serde_json::Value;\n");
    }
    if has("<Guid>") || has("<Guid, ") {
        own.push_str("use wcow_ntmeta::Guid;\n");
    }
    if !own.is_empty() {
        write!(uses, "\n{own}")?;
    }
    let mut ours = String::new();
    if has("<Bytes>") {
        ours.push_str("use crate::Bytes;\n");
    }
    if has("<SchemaVersion>") {
        ours.push_str("use crate::SchemaVersion;\n");
    }
    if uses_others {
        writeln!(ours, "use crate::{}::*;", set.name)?;
    }
    let macros = [
        ("document", &structs),
        ("numbers", &numbers),
        ("words", &enums),
    ];
    let macros: Vec<_> = macros.iter().filter(|(_, body)| !body.is_empty()).collect();
    let names: Vec<&str> = macros.iter().map(|(name, _)| *name).collect();
    match names.as_slice() {
        [name] => writeln!(ours, "use crate::wire::{name};")?,
        names => writeln!(ours, "use crate::wire::{{{}}};", names.join(", "))?,
    }
    write!(uses, "\n{ours}")?;
    text.push_str(&uses);
    for (name, body) in macros {
        write!(text, "\n{name}! {{\n{}}}\n", body.trim_start_matches('\n'))?;
    }
    Ok(text)
}

fn struct_text(
    text: &mut String,
    known: &words::Type,
    type_docs: &[String],
    fields: &[Row],
) -> Result<()> {
    text.push('\n');
    paragraphs(text, "    ", type_docs);
    writeln!(
        text,
        "    {} = \"{}\" {{",
        type_name(&known.name),
        known.name
    )?;
    let mut names = BTreeSet::new();
    for field in fields {
        let name = field_name(&field.name);
        if !names.insert(name.clone()) {
            bail!("{}: two fields are called {name}", known.name);
        }
        if let Some(doc) = known.fields.get(&field.name) {
            paragraphs(text, "        ", std::slice::from_ref(doc));
        }
        let kind = rust_type(&field.kind)?;
        writeln!(
            text,
            "        {name}: {kind} = {} @ {},",
            spellings(known, field),
            field.since
        )?;
    }
    text.push_str("    }\n");
    Ok(())
}

fn enum_text(
    text: &mut String,
    known: &words::Type,
    type_docs: &[String],
    rows: &[Row],
) -> Result<()> {
    text.push('\n');
    paragraphs(text, "    ", type_docs);
    writeln!(
        text,
        "    {} = \"{}\" {{",
        type_name(&known.name),
        known.name
    )?;
    let mut names = BTreeSet::from(["Other".to_owned()]);
    for row in rows {
        let name = if known.is_number {
            constant_name(&row.name)
        } else {
            variant_name(&row.name)
        };
        if !names.insert(name.clone()) {
            bail!("{}: two words are called {name}", known.name);
        }
        if let Some(doc) = known.fields.get(&row.name) {
            paragraphs(text, "        ", std::slice::from_ref(doc));
        }
        if known.is_number {
            let (word, value, since) = (&row.name, &row.kind, &row.since);
            writeln!(text, "        {name} = {value} {word:?} @ {since},")?;
        } else {
            let word = spellings(known, row);
            writeln!(text, "        {name} = {word} @ {},", row.since)?;
        }
    }
    text.push_str("    }\n");
    Ok(())
}

/// The key or word, with the other spelling that is read too.
fn spellings(known: &words::Type, row: &Row) -> String {
    match known.spellings.get(&row.name) {
        Some(other) => format!("{:?} | {other:?}", row.name),
        None => format!("{:?}", row.name),
    }
}

/// What the type is, what it is part of, and since when.
fn type_docs(known: &words::Type, table: &Table, link: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut docs = vec![known.doc.clone()];
    let mut users: Vec<String> = table
        .users(&known.name)
        .filter(|(user, _)| *user != known.name)
        .map(|(user, _)| link(user))
        .collect();
    users.dedup();
    let rows = table
        .structs
        .get(&known.name)
        .or(table.enums.get(&known.name));
    let own = rows.into_iter().flatten().map(|row| &row.since);
    let since = own.min_by_key(|since| version(since)).or_else(|| {
        let fields = table.users(&known.name).map(|(_, field)| &field.since);
        fields.min_by_key(|since| version(since))
    });
    let mut second = Vec::new();
    if !users.is_empty() {
        second.push(format!("Part of {}.", users.join(", ")));
    }
    second.extend(since.map(|since| format!("Since schema {since}.")));
    if !second.is_empty() {
        docs.push(String::new());
        docs.push(second.join(" "));
    }
    docs
}

/// `2.10` is after `2.9`.
fn version(text: &str) -> Vec<u32> {
    text.split('.')
        .map(|number| number.parse().unwrap_or_default())
        .collect()
}

fn table_text(set: &Set, words: &Words, table: &Table) -> String {
    let mut text = format!("//! Every type of {}, by name.\n\n", set.title);
    text.push_str(&set.note());
    let all = words.modules.iter().flat_map(|module| &module.types);
    let numbers: BTreeSet<&str> = all
        .filter(|known| known.is_number)
        .map(|known| known.name.as_str())
        .collect();
    let structs = table.structs.keys().filter(|name| *name != "Version");
    let (numbers, words): (Vec<&String>, Vec<&String>) = table
        .enums
        .keys()
        .partition(|name| numbers.contains(name.as_str()));
    let list = |names: &[&String]| -> String {
        let names = names.iter().map(|name| type_name(name));
        names.map(|name| format!("        {name}\n")).collect()
    };
    let structs: Vec<&String> = structs.collect();
    let parts = [("types", structs), ("words", words), ("numbers", numbers)];
    let parts = parts.iter().filter(|(_, names)| !names.is_empty());
    let parts: String = parts
        .map(|(part, names)| format!("    {part} {{\n{}    }}\n", list(names)))
        .collect();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\nuse crate::{}::*;\n\ncrate::describe::tables! {{\n{parts}}}\n",
        set.name,
    );
    text
}

/// Documentation of several paragraphs.
fn paragraphs(text: &mut String, indent: &str, lines: &[String]) {
    for line in lines {
        docs(text, "///", indent, line);
    }
}

/// One paragraph, wrapped.
fn docs(text: &mut String, mark: &str, indent: &str, paragraph: &str) {
    let mut line = format!("{indent}{mark}");
    let empty = line.len();
    for word in paragraph.split_whitespace() {
        if line.len() > empty && line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line.truncate(empty);
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Table, Words, generate};

    #[test]
    fn what_is_committed_is_what_would_be_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let files = generate(root).unwrap();
        assert!(files.len() > 10, "{} files", files.len());
        for (path, text) in files {
            let committed = std::fs::read_to_string(root.join(&path)).unwrap();
            assert!(
                committed == text,
                "{} is not what `cargo xtask schema` writes",
                path.display()
            );
        }
    }

    #[test]
    fn every_type_has_its_sentence() {
        let table = |text: &str| Table::read(text).unwrap();
        let words = |text: &str| Words::read(text).unwrap();
        let one = r#"{"enums":{},"structs":{"A":[{"name":"B","type":"string","since":"2.0"}]}}"#;
        assert!(
            words("[m] M.\nA: What.\n  B: That.\n")
                .apply(&mut table(one))
                .is_ok()
        );
        assert!(words("[m] M.\n").apply(&mut table(one)).is_err());
        assert!(
            words("[m] M.\nA: What.\n  C: That.\n")
                .apply(&mut table(one))
                .is_err()
        );
        assert!(
            words("[m] M.\nA: What.\nA: What.\n")
                .apply(&mut table(one))
                .is_err()
        );
        let flags = r#"{"enums":{"F":[{"name":"None","since":"2.0"}]},"structs":{}}"#;
        for (numbers, fits) in [
            ("[m] M.\nF#: What.\n  None=0: Nothing.\n", true),
            ("[m] M.\nF#: What.\n", false),
            ("[m] M.\nF#: What.\n  None=x: Nothing.\n", false),
        ] {
            let applied = words(numbers).apply(&mut table(flags));
            assert_eq!(applied.is_ok(), fits, "{numbers}");
        }
        assert!(Words::read("A: What.\n").is_err());
        assert!(Words::read("[m] M.\nA without a colon\n").is_err());
    }
}
