//! How typed documents and JSON meet.
//!
//! A document of schema 2 is read from a [`Value`] and written as a [`Node`], by code that is not generic: it is compiled once, here,
//! and not again in every crate that reads or writes one. serde's traits lead there ([`through_json!`]).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::describe::Kind;

mod bytes;
mod error;
mod macros;
pub(crate) mod path;
pub(crate) mod record;

pub use bytes::Bytes;
pub use error::ParseError;
pub(crate) use error::{Mismatch, parse_serde, parse_wire};
pub(crate) use macros::{document, numbers, serde_documents, through_json, words};

/// A document that [`parse`] reads.
pub trait Document: Sized + Serialize + DeserializeOwned + sealed::Sealed {
    /// Reads a document.
    ///
    /// # Errors
    /// As [`parse`].
    #[doc(hidden)]
    fn from_json(text: &[u8]) -> Result<Self, ParseError>;
}

pub(crate) mod sealed {
    /// Only documents of this crate can be read by `parse`.
    pub trait Sealed {}
}

/// Reads a document, and tells where it is wrong.
///
/// # Errors
/// If the text is no JSON, or a value in it is not of the type that the schema says.
///
/// ```
/// use wcow_hcs_schema::{parse, schema2::ComputeSystem};
///
/// let error = parse::<ComputeSystem>("{\"Container\":\n {\"Memory\": {\"SizeInMB\": \"1\"}}}").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "line 2, column 26, Container.Memory.SizeInMB: expected uint64, found \"1\"",
/// );
/// ```
pub fn parse<T: Document>(text: impl AsRef<[u8]>) -> Result<T, ParseError> {
    T::from_json(text.as_ref())
}

/// A value that is there.
pub(crate) trait Wire: Sized {
    fn kind() -> Kind;
    fn read(value: Value) -> Result<Self, Mismatch>;
    fn write(&self) -> Node<'_>;
}

/// The place of a field, which may be empty.
pub(crate) trait Slot: Default {
    fn kind() -> Kind;
    fn fill(value: Value) -> Result<Self, Mismatch>;
    /// `None` for an empty one, which is left out.
    fn write(&self) -> Option<Node<'_>>;
}

/// The key of a map.
pub(crate) trait Key: Ord + Sized {
    fn kind() -> Kind;
    fn read(key: &str) -> Option<Self>;
    fn write(&self) -> Cow<'_, str>;
}

/// JSON that is written: it keeps the order of keys, which [`Value`] does not.
pub(crate) enum Node<'a> {
    Any(&'a Value),
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl Node<'_> {
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Any(value) => (*value).clone(),
            Self::Bool(value) => Value::from(*value),
            Self::Unsigned(value) => Value::from(*value),
            Self::Signed(value) => Value::from(*value),
            Self::Text(text) => Value::from(text.as_ref()),
            Self::List(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(items) => items
                .iter()
                .map(|(key, value)| (key.clone().into_owned(), value.to_value()))
                .collect(),
        }
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any(value) => value.serialize(serializer),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(items) => {
                serializer.collect_map(items.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

impl Wire for String {
    fn kind() -> Kind {
        Kind::Text
    }

    fn read(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(Mismatch::new("a string", &other)),
        }
    }

    fn write(&self) -> Node<'_> {
        Node::Text(Cow::Borrowed(self))
    }
}

impl Wire for bool {
    fn kind() -> Kind {
        Kind::Bool
    }

    fn read(value: Value) -> Result<Self, Mismatch> {
        value
            .as_bool()
            .ok_or_else(|| Mismatch::new("true or false", &value))
    }

    fn write(&self) -> Node<'_> {
        Node::Bool(*self)
    }
}

impl Wire for Value {
    fn kind() -> Kind {
        Kind::Any
    }

    fn read(value: Value) -> Result<Self, Mismatch> {
        Ok(value)
    }

    fn write(&self) -> Node<'_> {
        Node::Any(self)
    }
}

impl Wire for Guid {
    fn kind() -> Kind {
        Kind::Guid
    }

    fn read(value: Value) -> Result<Self, Mismatch> {
        let guid = value.as_str().and_then(|text| text.parse().ok());
        guid.ok_or_else(|| Mismatch::new("a GUID", &value))
    }

    fn write(&self) -> Node<'_> {
        Node::Text(Cow::Owned(self.to_string()))
    }
}

macro_rules! integers {
    ($($type:ty, $name:literal, $as:ident, $node:ident;)*) => {$(
        impl Wire for $type {
            fn kind() -> Kind {
                Kind::Integer($name)
            }

            fn read(value: Value) -> Result<Self, Mismatch> {
                let number = value.$as().and_then(|number| Self::try_from(number).ok());
                number.ok_or_else(|| Mismatch::new($name, &value))
            }

            fn write(&self) -> Node<'_> {
                Node::$node((*self).into())
            }
        }
    )*};
}

integers! {
    u8, "uint8", as_u64, Unsigned;
    u16, "uint16", as_u64, Unsigned;
    u32, "uint32", as_u64, Unsigned;
    u64, "uint64", as_u64, Unsigned;
    i32, "int32", as_i64, Signed;
    i64, "int64", as_i64, Signed;
}

/// A console's size.
impl Wire for [u16; 2] {
    fn kind() -> Kind {
        Kind::Array(<u16 as Wire>::kind, 2)
    }

    fn read(value: Value) -> Result<Self, Mismatch> {
        let numbers: Vec<u16> = match &value {
            Value::Array(items) if items.len() == 2 => record::list(value)?,
            _ => return Err(Mismatch::new("two numbers", &value)),
        };
        let mut numbers = numbers.into_iter();
        let mut next = || numbers.next().unwrap_or_default();
        Ok([next(), next()])
    }

    fn write(&self) -> Node<'_> {
        Node::List(self.iter().map(Wire::write).collect())
    }
}

impl<T: Wire> Slot for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn fill(value: Value) -> Result<Self, Mismatch> {
        T::read(value).map(Some)
    }

    fn write(&self) -> Option<Node<'_>> {
        self.as_ref().map(Wire::write)
    }
}

impl<T: Wire> Slot for Vec<T> {
    fn kind() -> Kind {
        Kind::List(T::kind)
    }

    fn fill(value: Value) -> Result<Self, Mismatch> {
        record::list(value)
    }

    fn write(&self) -> Option<Node<'_>> {
        (!self.is_empty()).then(|| Node::List(self.iter().map(Wire::write).collect()))
    }
}

impl<K: Key, T: Wire> Slot for BTreeMap<K, T> {
    fn kind() -> Kind {
        Kind::Map(K::kind, T::kind)
    }

    fn fill(value: Value) -> Result<Self, Mismatch> {
        let Value::Object(items) = value else {
            return Err(Mismatch::new("an object", &value));
        };
        let read = |(key, value): (String, Value)| {
            let Some(parsed) = K::read(&key) else {
                return Err(Mismatch::key(&K::kind().to_string(), &key));
            };
            let value = T::read(value).map_err(|error| error.under_key(&key))?;
            Ok((parsed, value))
        };
        items.into_iter().map(read).collect()
    }

    fn write(&self) -> Option<Node<'_>> {
        let items = self.iter().map(|(key, value)| (key.write(), value.write()));
        (!self.is_empty()).then(|| Node::Object(items.collect()))
    }
}

impl Key for String {
    fn kind() -> Kind {
        Kind::Text
    }

    fn read(key: &str) -> Option<Self> {
        Some(key.to_owned())
    }

    fn write(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Key for Guid {
    fn kind() -> Kind {
        Kind::Guid
    }

    fn read(key: &str) -> Option<Self> {
        key.parse().ok()
    }

    fn write(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

macro_rules! integer_keys {
    ($($type:ty)*) => {$(
        impl Key for $type {
            fn kind() -> Kind {
                <$type as Wire>::kind()
            }

            fn read(key: &str) -> Option<Self> {
                // One spelling for each number: two keys cannot become one.
                let number: Self = key.parse().ok()?;
                (number.to_string() == key).then_some(number)
            }

            fn write(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }
        }
    )*};
}

integer_keys! { u8 u32 u64 }
