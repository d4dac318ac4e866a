//! Paths inside a tree: components below some root.

use std::fmt::{self, Write};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::WideName;

/// A path relative to some root, as a list of components; the empty list is the root itself.
///
/// Components are kept as they came: a tree from a stranger may hold names such as `..`, and whoever writes a tree
/// somewhere applies that place's name rule. Order and equality are exact. Shown with `\`. In serde it is that string if
/// reading it back gives the same path, and an array of names if not.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(Vec<WideName>);

impl RelPath {
    /// The root: no components.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Splits a text at `\` and `/`; separators at the start, at the end and in a row are ignored.
    pub fn parse(text: &str) -> Self {
        text.split(['\\', '/'])
            .filter(|part| !part.is_empty())
            .map(WideName::from)
            .collect()
    }

    /// Adds one component.
    pub fn push(&mut self, name: impl Into<WideName>) {
        self.0.push(name.into());
    }

    /// The path with one component added.
    #[must_use]
    pub fn join(&self, name: impl Into<WideName>) -> Self {
        let mut path = self.clone();
        path.push(name);
        path
    }

    /// The components, outermost first.
    pub fn components(&self) -> &[WideName] {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of components.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// The path without its last component; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, names)| Self(names.to_vec()))
    }

    /// The last component; `None` for the root.
    pub fn file_name(&self) -> Option<&WideName> {
        self.0.last()
    }

    /// Whether both are the same path to a Windows file system.
    pub fn eq_ignore_case(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.starts_with_ignore_case(other)
    }

    /// Whether `base` is this path or one of its ancestors, ignoring case.
    pub fn starts_with_ignore_case(&self, base: &Self) -> bool {
        self.0.len() >= base.0.len()
            && self
                .0
                .iter()
                .zip(&base.0)
                .all(|(ours, theirs)| ours.eq_ignore_case(theirs))
    }

    /// The path with every component upcased: a key under which paths that differ in case only are one.
    pub fn upcased(&self) -> Self {
        self.0.iter().map(WideName::upcased).collect()
    }
}

impl From<&str> for RelPath {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl From<String> for RelPath {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<&RelPath> for RelPath {
    fn from(path: &RelPath) -> Self {
        path.clone()
    }
}

impl FromIterator<WideName> for RelPath {
    fn from_iter<I: IntoIterator<Item = WideName>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char('\\')?;
            }
            write!(f, "{name}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl Serialize for RelPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        if Self::parse(&text) == *self {
            serializer.serialize_str(&text)
        } else {
            serializer.collect_seq(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a path, or an array of names")]
        enum Form {
            Text(String),
            Names(Vec<WideName>),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => Self::parse(&text),
            Form::Names(names) => Self(names),
        })
    }
}
