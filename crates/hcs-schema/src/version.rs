//! Versions of the schema: which a Windows build knows, and what becomes of sections that are newer than their document.

use std::fmt;

use serde_json::Value;

use crate::describe::{Kind, Struct};
use crate::wire::path::join;
use crate::wire::{Mismatch, Node, Wire, record};

/// The version of a schema, `{"Major":2,"Minor":1}`.
///
/// Nothing but the two numbers is kept of it; a number that is missing is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaVersion {
    /// 1 or 2.
    pub major: u32,
    /// Counts up within a major version.
    pub minor: u32,
}

/// Schema 2 as Windows builds came to know it: version, build, and the revision of that build it was seen with first. A build knows all
/// versions of the builds before it.
pub const KNOWN_SINCE: &[(SchemaVersion, u32, u32)] = &[
    (SchemaVersion::new(2, 0), 17763, 0),
    (SchemaVersion::new(2, 1), 17763, 0),
    (SchemaVersion::new(2, 2), 18362, 0),
    (SchemaVersion::new(2, 3), 19041, 0),
    (SchemaVersion::new(2, 4), 20348, 169),
    (SchemaVersion::new(2, 5), 20348, 169),
    (SchemaVersion::new(2, 6), 22000, 194),
];

impl SchemaVersion {
    /// Schema 1: containers of Windows Server 2016 and later.
    pub const V1: Self = Self::new(1, 0);
    /// Schema 2 as clients use it for containers.
    pub const V2_1: Self = Self::new(2, 1);

    /// The version of these two numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The newest version of schema 2 that a Windows build knows; `None` for builds that know only schema 1, those before 17763.
    #[must_use]
    pub fn newest_of_build(build: u32) -> Option<Self> {
        Self::of_build(build).last()
    }

    /// The versions of schema 2 that a Windows build knows, oldest first.
    pub fn of_build(build: u32) -> impl Iterator<Item = Self> {
        KNOWN_SINCE
            .iter()
            .filter(move |(_, since, _)| *since <= build)
            .map(|(version, ..)| *version)
    }

    /// Whether this version is among those that an answer lists: an entry 2.X stands for 2.0 to 2.X.
    #[must_use]
    pub fn is_among(self, supported: &[Self]) -> bool {
        supported
            .iter()
            .any(|entry| entry.major == self.major && self.minor <= entry.minor)
    }

    /// Reads a literal as `2.10`; anything that is no digit ends a number.
    pub(crate) const fn of_literal(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut numbers = [0_u32; 2];
        let (mut at, mut number) = (0, 0);
        while at < bytes.len() && number < 2 {
            let byte = bytes[at];
            if byte.is_ascii_digit() {
                numbers[number] = numbers[number] * 10 + (byte - b'0') as u32;
            } else {
                number += 1;
            }
            at += 1;
        }
        Self::new(numbers[0], numbers[1])
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

static VERSION: Struct = Struct {
    name: "Version",
    fields: &[
        crate::describe::Field::new("Major", SchemaVersion::new(2, 0), <u32 as Wire>::kind),
        crate::describe::Field::new("Minor", SchemaVersion::new(2, 0), <u32 as Wire>::kind),
    ],
};

impl Wire for SchemaVersion {
    fn kind() -> Kind {
        Kind::Struct(&VERSION)
    }

    fn read(value: Value) -> Result<Self, Mismatch> {
        let mut keys = record::keys(value, VERSION.name)?;
        Ok(Self {
            major: record::take::<Option<u32>>(&mut keys, &["Major"])?.unwrap_or_default(),
            minor: record::take::<Option<u32>>(&mut keys, &["Minor"])?.unwrap_or_default(),
        })
    }

    fn write(&self) -> Node<'_> {
        Node::Object(vec![
            ("Major".into(), self.major.write()),
            ("Minor".into(), self.minor.write()),
        ])
    }
}

crate::wire::through_json!(SchemaVersion);

/// Drops every field of a document that is newer than the document's version, as the service does without a word, and returns
/// their paths, for example `VirtualMachine.Services`.
///
/// `version` counts until a part of the document has a `SchemaVersion` of its own, as a hosted system has; then that one does.
/// Fields that the schema does not know stay, and so do values that are newer than the version of their field: nothing tells
/// that the service drops these. Parts that are not of the type that the schema gives them stay too.
pub fn drop_newer(
    document: &mut Value,
    schema: &'static Struct,
    version: SchemaVersion,
) -> Vec<String> {
    let mut dropped = Vec::new();
    drop_in_struct(document, schema, version, "", &mut dropped);
    dropped
}

fn drop_in_struct(
    value: &mut Value,
    schema: &'static Struct,
    version: SchemaVersion,
    path: &str,
    dropped: &mut Vec<String>,
) {
    let Value::Object(keys) = value else { return };
    let own = keys.get("SchemaVersion").cloned();
    let own = own.filter(|_| schema.field("SchemaVersion").is_some());
    let version = own
        .and_then(|own| SchemaVersion::read(own).ok())
        .unwrap_or(version);
    for field in schema.fields {
        let path = join(path, field.key);
        if field.since > version {
            // A null is an absent field.
            if keys.remove(field.key).is_some_and(|value| !value.is_null()) {
                dropped.push(path);
            }
        } else if let Some(value) = keys.get_mut(field.key) {
            drop_in(value, field.kind(), version, &path, dropped);
        }
    }
}

fn drop_in(
    value: &mut Value,
    kind: Kind,
    version: SchemaVersion,
    path: &str,
    dropped: &mut Vec<String>,
) {
    match kind {
        Kind::Struct(schema) => drop_in_struct(value, schema, version, path, dropped),
        Kind::List(of) => {
            let items = value.as_array_mut().into_iter().flatten();
            for (number, item) in items.enumerate() {
                drop_in(item, of(), version, &format!("{path}[{number}]"), dropped);
            }
        }
        Kind::Map(_, of) => {
            let items = value.as_object_mut().into_iter().flatten();
            for (key, item) in items {
                drop_in(item, of(), version, &join(path, key), dropped);
            }
        }
        _ => {}
    }
}
