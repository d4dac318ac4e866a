//! The macros that make a type out of its table.

/// A struct: for each field its name, type, key and the version that brought it. Another spelling of the key, `| "ID"`, is read where
/// the first is absent. Every struct has `unknown` beside its fields.
macro_rules! document {
    ($($(#[$doc:meta])* $name:ident = $schema:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $key:literal $(| $other_key:literal)? @ $since:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq)]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[doc = ""]
                #[doc = concat!("`", $key, "`, since schema ", stringify!($since), ".")]
                pub $field: $type,
            )*
            /// Keys that the schema does not know.
            pub unknown: $crate::Unknown,
        }

        impl $name {
            /// The schema of this type.
            pub const SCHEMA: &'static $crate::describe::Struct = {
                static SCHEMA: $crate::describe::Struct = $crate::describe::Struct {
                    name: $schema,
                    fields: &[$($crate::describe::Field::new(
                        $key,
                        $crate::SchemaVersion::of_literal(stringify!($since)),
                        <$type as $crate::wire::Slot>::kind,
                    ),)*],
                };
                &SCHEMA
            };

            /// The document as JSON.
            #[must_use]
            pub fn to_value(&self) -> serde_json::Value {
                $crate::wire::Wire::write(self).to_value()
            }
        }

        impl $crate::wire::Wire for $name {
            fn kind() -> $crate::describe::Kind {
                $crate::describe::Kind::Struct(Self::SCHEMA)
            }

            fn read(value: serde_json::Value) -> Result<Self, $crate::wire::Mismatch> {
                let mut keys = $crate::wire::record::keys(value, $schema)?;
                Ok(Self {
                    $($field: $crate::wire::record::take(&mut keys, &[$key $(, $other_key)?])?,)*
                    unknown: $crate::wire::record::rest(&mut keys),
                })
            }

            fn write(&self) -> $crate::wire::Node<'_> {
                let mut keys = Vec::new();
                $($crate::wire::record::put(&mut keys, $key, &self.$field);)*
                $crate::wire::record::put_unknown(&mut keys, &self.unknown, Self::SCHEMA);
                $crate::wire::Node::Object(keys)
            }
        }

        $crate::wire::through_json!($name);

        /// Shown as the document it is, without what is absent.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), " {}"), self.to_value())
            }
        }

        impl $crate::wire::sealed::Sealed for $name {}

        impl $crate::wire::Document for $name {
            fn from_json(text: &[u8]) -> Result<Self, $crate::ParseError> {
                $crate::wire::parse_wire(text)
            }
        }
    )*};
}

/// An enumeration: for each variant its word, another spelling that is read too, and the version that brought it. Words that are not among them are kept.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $schema:literal {
        $($(#[$word_doc:meta])* $variant:ident = $word:literal $(| $other_word:literal)? @ $since:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $(
                $(#[$word_doc])*
                #[doc = ""]
                #[doc = concat!("`", $word, "`, since schema ", stringify!($since), ".")]
                $variant,
            )*
            /// Another word, as it came; not one of the above.
            Other(String),
        }

        impl $name {
            /// The schema of this type.
            pub const SCHEMA: &'static $crate::describe::Words = {
                static SCHEMA: $crate::describe::Words = $crate::describe::Words {
                    name: $schema,
                    words: &[$(($word, $crate::SchemaVersion::of_literal(stringify!($since))),)*],
                };
                &SCHEMA
            };

            /// The word as documents have it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word $(| $other_word)? => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::wire::Wire for $name {
            fn kind() -> $crate::describe::Kind {
                $crate::describe::Kind::Words(Self::SCHEMA)
            }

            fn read(value: serde_json::Value) -> Result<Self, $crate::wire::Mismatch> {
                match value.as_str() {
                    Some(word) => Ok(Self::from(word)),
                    None => Err($crate::wire::Mismatch::new(concat!("a word (", $schema, ")"), &value)),
                }
            }

            fn write(&self) -> $crate::wire::Node<'_> {
                $crate::wire::Node::Text(self.as_str().into())
            }
        }

        $crate::wire::through_json!($name);
    )*};
}

/// A number whose values have names: for each its name here, its value, its name in the schema and the version that brought it. Other
/// values are kept.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = $schema:literal {
        $($(#[$value_doc:meta])* $constant:ident = $value:literal $word:literal @ $since:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $(
                $(#[$value_doc])*
                #[doc = ""]
                #[doc = concat!("`", $word, "`, ", stringify!($value), ", since schema ", stringify!($since), ".")]
                pub const $constant: Self = Self($value);
            )*

            /// The schema of this type.
            pub const SCHEMA: &'static $crate::describe::Numbers = {
                static SCHEMA: $crate::describe::Numbers = $crate::describe::Numbers {
                    name: $schema,
                    values: &[$(($word, $value, $crate::SchemaVersion::of_literal(stringify!($since))),)*],
                };
                &SCHEMA
            };

            /// Whether every bit of `other` is set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl $crate::wire::Wire for $name {
            fn kind() -> $crate::describe::Kind {
                $crate::describe::Kind::Numbers(Self::SCHEMA)
            }

            fn read(value: serde_json::Value) -> Result<Self, $crate::wire::Mismatch> {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                number.map(Self).ok_or_else(|| {
                    $crate::wire::Mismatch::new(concat!("a number (", $schema, ")"), &value)
                })
            }

            fn write(&self) -> $crate::wire::Node<'_> {
                $crate::wire::Node::Unsigned(self.0.into())
            }
        }

        $crate::wire::through_json!($name);
    )*};
}

/// [`Document`](super::Document) for types whose reader serde has made.
macro_rules! serde_documents {
    ($($name:ident)*) => {$(
        impl $crate::wire::sealed::Sealed for $name {}

        impl $crate::wire::Document for $name {
            fn from_json(text: &[u8]) -> Result<Self, $crate::ParseError> {
                $crate::wire::parse_serde(text)
            }
        }
    )*};
}

/// serde's traits for a type that has [`Wire`](super::Wire).
macro_rules! through_json {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&$crate::wire::Wire::write(self), serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::wire::Wire>::read(value).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use {document, numbers, serde_documents, through_json, words};
