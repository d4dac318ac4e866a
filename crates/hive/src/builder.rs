//! Building a hive: what stands in it, collected and checked before a byte is written.

use std::collections::BTreeMap;

use wcow_ntmeta::{FileTime, SecurityDescriptor, SecurityDescriptorError, WideName};

use crate::value::ValueKind;
use crate::write;

/// Collects keys and values, and writes them as a hive of version 1.5.
///
/// The same content gives the same bytes, in whatever order it was added. Names that differ in case only are one name; the
/// first spelling stays, the last data wins.
#[derive(Debug, Clone)]
pub struct HiveBuilder {
    pub(crate) name: WideName,
    pub(crate) root: Node,
    pub(crate) timestamp: FileTime,
    pub(crate) security: Vec<u8>,
    /// Bytes that the hive can take at most, without bins that are not full.
    size: usize,
}

/// Why something cannot be put into a hive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A path has an empty name in it.
    #[error("key path \"{path}\": expected names separated by single backslashes")]
    EmptyName {
        /// The path.
        path: String,
    },
    /// A name is longer than Windows allows.
    #[error("{what} of {found} UTF-16 units: expected at most {limit}")]
    NameTooLong {
        /// What was to be named.
        what: &'static str,
        /// Units allowed.
        limit: usize,
        /// Units given.
        found: usize,
    },
    /// Keys stand in each other too deep.
    #[error("key path of {found} levels: expected at most {limit}")]
    TooDeep {
        /// Levels allowed, the root included.
        limit: usize,
        /// Levels given.
        found: usize,
    },
    /// The hive would become too large.
    #[error("hive of about {found} bytes: expected at most {limit}")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
        /// Bytes that it would take.
        found: usize,
    },
    /// The bytes given as a security descriptor are none.
    #[error("security descriptor of the hive is not valid")]
    Security {
        /// What is wrong with it.
        #[source]
        source: SecurityDescriptorError,
    },
}

/// A key that is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    pub(crate) name: WideName,
    pub(crate) class: WideName,
    /// By upper-case name, which is the order that the format wants.
    pub(crate) subkeys: BTreeMap<Vec<u16>, Node>,
    /// By upper-case name, so that the order of adding does not show.
    pub(crate) values: BTreeMap<Vec<u16>, NewValue>,
}

/// A value that is to be written.
#[derive(Debug, Clone)]
pub(crate) struct NewValue {
    pub(crate) name: WideName,
    pub(crate) kind: ValueKind,
    pub(crate) data: Vec<u8>,
}

/// Units in a key name.
const MAX_KEY_NAME: usize = 255;
/// Units in a value name.
const MAX_VALUE_NAME: usize = 16383;
/// Units in a class name: its size in bytes has 16 bits.
const MAX_CLASS_NAME: usize = 32767;
/// Levels of keys, the root included.
const MAX_DEPTH: usize = 512;
/// Bytes of content. Bins that are not full can treble it, and offsets have 32 bits.
const MAX_SIZE: usize = 512 << 20;

/// The smallest hive: a root key without subkeys and values; 8192 bytes.
///
/// ```
/// assert_eq!(wcow_hive::empty_hive("Software_Delta").len(), 8192);
/// ```
#[must_use]
pub fn empty_hive(name: &str) -> Vec<u8> {
    HiveBuilder::new(name).build()
}

impl HiveBuilder {
    /// A hive that calls itself `name` and holds the root key only.
    ///
    /// The base block has room for 31 units of the name; of a longer one, the end is kept, as Windows does with paths.
    /// The timestamp is zero, and the security descriptor gives SYSTEM and Administrators full access.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let root = Node {
            name: WideName::from("ROOT"),
            ..Node::default()
        };
        let security = write::default_security();
        Self {
            name: WideName::from(name),
            root,
            timestamp: FileTime::ZERO,
            security,
            size: 0,
        }
    }

    /// Sets the time that the hive and all its keys were last written.
    pub fn timestamp(&mut self, timestamp: FileTime) -> &mut Self {
        self.timestamp = timestamp;
        self
    }

    /// Sets the security descriptor of all keys, as self-relative bytes.
    ///
    /// # Errors
    /// The bytes are not a valid security descriptor, or the hive becomes too large.
    pub fn security(&mut self, descriptor: &[u8]) -> Result<&mut Self, BuildError> {
        SecurityDescriptor::parse(descriptor.to_vec())
            .map_err(|source| BuildError::Security { source })?;
        self.grow(descriptor.len())?;
        self.security = descriptor.to_vec();
        Ok(self)
    }

    /// Adds the key at `path`, separated by `\`, and the keys above it. What is there stays. The empty path is the root.
    ///
    /// # Errors
    /// A name is empty or longer than 255 units, there are more than 512 levels, or the hive becomes too large.
    pub fn key(&mut self, path: &str) -> Result<&mut Self, BuildError> {
        self.node(path)?;
        Ok(self)
    }

    /// Sets the class name of the key at `path`, which is added if it is not there.
    ///
    /// # Errors
    /// As [`HiveBuilder::key`], or the class name is longer than 32767 units.
    pub fn class_name(&mut self, path: &str, class: &str) -> Result<&mut Self, BuildError> {
        let class = WideName::from(class);
        check_len("class name", MAX_CLASS_NAME, &class)?;
        self.grow(class.len() * 2 + 16)?;
        self.node(path)?.class = class;
        Ok(self)
    }

    /// Sets a value of the key at `path`, which is added if it is not there. The empty name is the default value.
    ///
    /// The data is stored as it is given: nothing adds a NUL to a text.
    ///
    /// # Errors
    /// As [`HiveBuilder::key`], or the value name is longer than 16383 units.
    pub fn value(
        &mut self,
        path: &str,
        name: &str,
        kind: ValueKind,
        data: &[u8],
    ) -> Result<&mut Self, BuildError> {
        let name = WideName::from(name);
        check_len("value name", MAX_VALUE_NAME, &name)?;
        self.grow(name.len() * 2 + data.len() + data.len() / 256 + 64)?;
        let node = self.node(path)?;
        let upcased = name.upcased().units().to_vec();
        let data = data.to_vec();
        node.values
            .entry(upcased)
            .and_modify(|value| {
                *value = NewValue {
                    name: value.name.clone(),
                    kind,
                    data: data.clone(),
                }
            })
            .or_insert(NewValue { name, kind, data });
        Ok(self)
    }

    /// The hive, as the bytes of a file.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        write::hive(self)
    }

    fn node(&mut self, path: &str) -> Result<&mut Node, BuildError> {
        let names: Vec<WideName> = match path {
            "" => Vec::new(),
            path => path.split('\\').map(WideName::from).collect(),
        };
        if names.len() >= MAX_DEPTH {
            return Err(BuildError::TooDeep {
                limit: MAX_DEPTH,
                found: names.len() + 1,
            });
        }
        for name in &names {
            if name.is_empty() {
                return Err(BuildError::EmptyName {
                    path: path.to_owned(),
                });
            }
            check_len("key name", MAX_KEY_NAME, name)?;
        }
        self.grow(names.iter().map(|name| name.len() * 2 + 128).sum())?;
        let mut node = &mut self.root;
        for name in names {
            let upcased = name.upcased().units().to_vec();
            node = node.subkeys.entry(upcased).or_insert_with(|| Node {
                name,
                ..Node::default()
            });
        }
        Ok(node)
    }

    /// Counts what is added as if nothing of it were there before: too much rather than too little.
    fn grow(&mut self, more: usize) -> Result<(), BuildError> {
        let found = self.size.saturating_add(more);
        if found > MAX_SIZE {
            return Err(BuildError::TooLarge {
                limit: MAX_SIZE,
                found,
            });
        }
        self.size = found;
        Ok(())
    }
}

fn check_len(what: &'static str, limit: usize, name: &WideName) -> Result<(), BuildError> {
    let found = name.len();
    if found > limit {
        Err(BuildError::NameTooLong { what, limit, found })
    } else {
        Ok(())
    }
}
