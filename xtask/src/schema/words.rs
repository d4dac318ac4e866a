//! The file of modules and sentences.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use super::{Row, Table};

/// The table calls this struct `Version`; the crate has a type of its own for it.
const BY_HAND: &str = "Version";

/// The whole file.
pub(super) struct Words {
    pub(super) modules: Vec<Module>,
}

/// A module: its types in order.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) types: Vec<Type>,
}

/// A type, and what its fields mean.
pub(super) struct Type {
    pub(super) name: String,
    pub(super) doc: String,
    /// Whether documents have it as a number, each word of which has a value.
    pub(super) is_number: bool,
    pub(super) fields: BTreeMap<String, String>,
    /// Fields that the table does not have: key and type.
    added: Vec<(String, String)>,
    /// Fields to which the table gives no type: key and type.
    typed: Vec<(String, String)>,
    /// Other spellings of fields or words that are read too.
    pub(super) spellings: BTreeMap<String, String>,
}

impl Words {
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut modules: Vec<Module> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let place = || format!("line {number} of the words: {line:?}");
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let (name, doc) = rest.split_once("] ").with_context(place)?;
                modules.push(Module {
                    name: name.to_owned(),
                    doc: doc.to_owned(),
                    types: Vec::new(),
                });
                continue;
            }
            let (name, doc) = line.split_once(": ").with_context(place)?;
            let module = modules.last_mut().with_context(place)?;
            match name.strip_prefix("  ") {
                None => module.types.push(Type::new(name, doc)),
                Some(name) => module
                    .types
                    .last_mut()
                    .with_context(place)?
                    .add_field(name, doc),
            }
        }
        Ok(Self { modules })
    }

    /// Puts into the table what it lacks, and sees that the two are about the same types and fields.
    pub(super) fn apply(&self, table: &mut Table) -> Result<()> {
        let mut seen = BTreeSet::new();
        for known in self.modules.iter().flat_map(|module| &module.types) {
            let name = &known.name;
            if !seen.insert(name.as_str()) {
                bail!("{name} stands twice in the words");
            }
            if let Some(words) = table.enums.get_mut(name) {
                if known.is_number {
                    known.give_values(words)?;
                }
                let has = |field: &String| words.iter().any(|row| row.name == *field);
                if let Some(field) = known.fields.keys().find(|field| !has(field)) {
                    bail!("the table has no word {field} in {name}");
                }
                continue;
            }
            let rows = table.structs.get_mut(name);
            let rows = rows.with_context(|| format!("the table has no struct {name}"))?;
            rows.extend(known.added.iter().map(|(name, kind)| Row {
                name: name.clone(),
                kind: kind.clone(),
                // Nothing tells since when: it is never taken for newer than its document.
                since: "2.0".to_owned(),
            }));
            for (field, kind) in &known.typed {
                let row = rows.iter_mut().find(|row| row.name == *field);
                let row = row.filter(|row| row.kind == "Any");
                row.with_context(|| format!("{name}.{field} is not of the type Any"))?
                    .kind = kind.clone();
            }
            let has = |field: &String| rows.iter().any(|row| row.name == *field);
            if let Some(field) = known.fields.keys().find(|field| !has(field)) {
                bail!("the table has no {name}.{field}");
            }
        }
        let all = table.enums.keys().chain(table.structs.keys());
        let mut missing = all.filter(|name| *name != BY_HAND && !seen.contains(name.as_str()));
        match missing.next() {
            Some(name) => bail!("{name} is not in the words"),
            None => Ok(()),
        }
    }
}

impl Type {
    fn new(name: &str, doc: &str) -> Self {
        let number = name.strip_suffix('#');
        Self {
            name: number.unwrap_or(name).to_owned(),
            is_number: number.is_some(),
            doc: doc.to_owned(),
            fields: BTreeMap::new(),
            added: Vec::new(),
            typed: Vec::new(),
            spellings: BTreeMap::new(),
        }
    }

    /// Puts the values of the words where a field has its type, and adds the words that the table does not have.
    fn give_values(&self, words: &mut Vec<Row>) -> Result<()> {
        words.extend(self.added.iter().map(|(name, value)| Row {
            name: name.clone(),
            kind: value.clone(),
            since: "2.0".to_owned(),
        }));
        for row in words {
            if let Some((_, value)) = self.typed.iter().find(|(name, _)| *name == row.name) {
                row.kind.clone_from(value);
            }
            if row.kind.parse::<u32>().is_err() {
                bail!("{}.{} has no value", self.name, row.name);
            }
        }
        Ok(())
    }

    fn add_field(&mut self, name: &str, doc: &str) {
        let added = name.strip_prefix('+').and_then(|rest| rest.split_once(' '));
        let name = if let Some((name, kind)) = added {
            self.added.push((name.to_owned(), kind.to_owned()));
            name
        } else if let Some((name, kind)) = name.split_once('=') {
            self.typed.push((name.to_owned(), kind.to_owned()));
            name
        } else if let Some((name, other)) = name.split_once('|') {
            self.spellings.insert(name.to_owned(), other.to_owned());
            name
        } else {
            name
        };
        self.fields.insert(name.to_owned(), doc.to_owned());
    }
}
