//! Schema 2 and HCN as data: the keys, types and versions of every document, for programs that look at documents without knowing their type.
//!
//! ```
//! use wcow_hcs_schema::describe;
//!
//! let share = describe::find("VirtualSmbShare").unwrap();
//! let options = share.schema.field("Options").unwrap();
//! assert_eq!(options.kind().to_string(), "VirtualSmbShareOptions");
//! assert_eq!(options.since.to_string(), "2.1");
//! ```

use std::fmt;

use serde_json::Value;

use crate::SchemaVersion;
use crate::wire::{Document, ParseError, Wire};

/// The schema of a document or of a part of one.
#[derive(Debug)]
pub struct Struct {
    /// Its name in the public schema.
    pub name: &'static str,
    /// Its fields, in the order of the public schema.
    pub fields: &'static [Field],
}

impl Struct {
    /// The field of a key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

/// A field.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub key: &'static str,
    /// The version that brought it.
    pub since: SchemaVersion,
    /// A function, because types may contain themselves.
    kind: fn() -> Kind,
}

impl Field {
    pub(crate) const fn new(key: &'static str, since: SchemaVersion, kind: fn() -> Kind) -> Self {
        Self { key, since, kind }
    }

    /// The type of its values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        (self.kind)()
    }
}

/// The schema of a value that is one of several words.
#[derive(Debug)]
pub struct Words {
    /// Its name in the public schema.
    pub name: &'static str,
    /// The words, each with the version that brought it.
    pub words: &'static [(&'static str, SchemaVersion)],
}

/// The schema of a number whose values have names: flags, that may be joined, or one of several.
#[derive(Debug)]
pub struct Numbers {
    /// Its name in the public schema.
    pub name: &'static str,
    /// The names, each with its value and the version that brought it.
    pub values: &'static [(&'static str, u32, SchemaVersion)],
}

/// A type of values. Shown as the public schema writes it.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Anything.
    Any,
    /// Text; times (RFC 3339) and MAC addresses too.
    Text,
    /// True or false.
    Bool,
    /// A whole number: `uint8` to `uint64`, `int32`, `int64`.
    Integer(&'static str),
    /// A GUID.
    Guid,
    /// Bytes, as base64.
    Bytes,
    /// One of several words.
    Words(&'static Words),
    /// A number whose values have names.
    Numbers(&'static Numbers),
    /// An object of known keys.
    Struct(&'static Struct),
    /// A list.
    List(fn() -> Kind),
    /// A list of so many.
    Array(fn() -> Kind, usize),
    /// An object of any keys, which are of the first type, written as text.
    Map(fn() -> Kind, fn() -> Kind),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("Any"),
            Self::Text => f.write_str("string"),
            Self::Bool => f.write_str("bool"),
            Self::Integer(name) => f.write_str(name),
            Self::Guid => f.write_str("Guid"),
            Self::Bytes => f.write_str("ByteArray"),
            Self::Words(words) => f.write_str(words.name),
            Self::Numbers(numbers) => f.write_str(numbers.name),
            Self::Struct(schema) => f.write_str(schema.name),
            Self::List(of) => write!(f, "[{}]", of()),
            Self::Array(of, len) => write!(f, "[{}, {len}]", of()),
            Self::Map(key, of) => write!(f, "Map<{}, {}>", key(), of()),
        }
    }
}

/// A type that stands by itself.
#[derive(Debug)]
pub struct Type {
    /// Its schema.
    pub schema: &'static Struct,
    check: fn(&[u8]) -> Result<Value, ParseError>,
}

impl Type {
    pub(crate) const fn of<T: Document + Wire>(schema: &'static Struct) -> Self {
        Self {
            schema,
            check: |text| {
                let document = T::from_json(text)?;
                Ok(Wire::write(&document).to_value())
            },
        }
    }

    /// Reads a document of this type, and returns it as it is written.
    ///
    /// # Errors
    /// If the text is no JSON, or a value in it is not of the type that the schema says.
    pub fn check(&self, text: impl AsRef<[u8]>) -> Result<Value, ParseError> {
        (self.check)(text.as_ref())
    }
}

/// Every struct of schema 2, by name.
#[must_use]
pub fn types() -> &'static [Type] {
    crate::schema2::TYPES
}

/// Every enumeration of schema 2, by name.
#[must_use]
pub fn words() -> &'static [&'static Words] {
    crate::schema2::WORDS
}

/// The struct of a name of the public schema, for example `Container_Memory`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Type> {
    types().iter().find(|known| known.schema.name == name)
}

/// HCN as data. Some of its types have the name of another one of schema 2.
pub mod hcn {
    use super::{Numbers, Type, Words};

    /// Every struct of HCN, by name.
    #[must_use]
    pub fn types() -> &'static [Type] {
        crate::hcn::TYPES
    }

    /// Every enumeration of HCN that documents have as a word, by name.
    #[must_use]
    pub fn words() -> &'static [&'static Words] {
        crate::hcn::WORDS
    }

    /// Every enumeration of HCN that documents have as a number, by name.
    #[must_use]
    pub fn numbers() -> &'static [&'static Numbers] {
        crate::hcn::NUMBERS
    }

    /// The struct of a name of the public schema, for example `HostComputeNetwork`.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Type> {
        types().iter().find(|known| known.schema.name == name)
    }
}

/// The lists of all types.
macro_rules! tables {
    (types { $($type:ident)* } words { $($words:ident)* } $(numbers { $($numbers:ident)* })?) => {
        pub(crate) static TYPES: &[$crate::describe::Type] =
            &[$($crate::describe::Type::of::<$type>($type::SCHEMA),)*];

        pub(crate) static WORDS: &[&$crate::describe::Words] = &[$($words::SCHEMA,)*];

        $(pub(crate) static NUMBERS: &[&$crate::describe::Numbers] = &[$($numbers::SCHEMA,)*];)?
    };
}

pub(crate) use tables;
