//! Absolute Windows paths. They are never `std::path`: they mean the same on every operating system.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::{RelPath, WideName};

const LONG_PREFIX: &str = r"\\?\";

/// An absolute Windows path: a drive (`C:`, or a volume as `\\?\Volume{...}`) and components.
///
/// No component is empty, `.` or `..`, and none holds `\`, `/` or NUL. Order and equality are exact;
/// [`starts_with`](Self::starts_with), [`strip_prefix`](Self::strip_prefix) and
/// [`eq_ignore_case`](Self::eq_ignore_case) compare as a Windows file system does. Shown with `\`. In serde it is that
/// string, or, if a name is not valid UTF-16, an array of the drive and the components. Clones are cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPath {
    drive: WideName,
    names: Arc<[WideName]>,
}

/// Why a text or a name cannot be (part of) an absolute Windows path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PathError {
    /// The text begins with neither a drive nor a volume.
    #[error(r"expected an absolute path such as C:\dir, found {found:?}")]
    NotAbsolute {
        /// The text as given.
        found: String,
    },
    /// A component is empty, `.` or `..`, or holds a separator or NUL.
    #[error("expected a file name, found {found:?}")]
    BadComponent {
        /// The component.
        found: WideName,
    },
}

impl HostPath {
    /// Reads `C:\a\b`, `\\?\C:\a` or `\\?\Volume{...}\a`. `/` counts as `\`, and one separator at the end is ignored.
    ///
    /// # Errors
    /// The path is not absolute, or a component is empty, `.` or `..`, or holds NUL.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let not_absolute = || PathError::NotAbsolute {
            found: text.to_owned(),
        };
        let plain = if text.as_bytes().contains(&b'/') {
            Cow::Owned(text.replace('/', r"\"))
        } else {
            Cow::Borrowed(text)
        };
        let (long, rest) = match plain.strip_prefix(LONG_PREFIX) {
            Some(rest) => (true, rest),
            None => (false, &*plain),
        };
        let (drive, tail) = rest.split_once('\\').unwrap_or((rest, ""));
        let drive = match drive.as_bytes() {
            [letter, b':'] if letter.is_ascii_alphabetic() => drive.into(),
            _ if long && is_volume(drive) => format!("{LONG_PREFIX}{drive}").into(),
            _ => return Err(not_absolute()),
        };
        let tail = tail.strip_suffix('\\').unwrap_or(tail);
        let mut names = Vec::new();
        if !tail.is_empty() {
            names.reserve_exact(1 + count(tail, b'\\'));
            for name in tail.split('\\') {
                names.push(component(name.into())?);
            }
        }
        Ok(Self {
            drive,
            names: names.into(),
        })
    }

    /// The root of a drive given as a trusted literal: `C:` or `\\?\Volume{...}`. Separators at the end are dropped.
    ///
    /// The text is not checked; what comes from outside goes through [`parse`](Self::parse).
    pub fn root(drive: &str) -> Self {
        Self {
            drive: drive.trim_end_matches(['\\', '/']).into(),
            names: Arc::default(),
        }
    }

    /// The path with one or more components added, given with `\` or `/` as a trusted literal.
    ///
    /// Parts that are no component (empty, `.`, `..`, with NUL) are left out, so the path stays valid and below `self`.
    /// For names from outside use [`push`](Self::push), which refuses them.
    #[must_use]
    pub fn join(&self, more: &str) -> Self {
        let separators = count(more, b'\\') + count(more, b'/');
        if separators == 0 {
            return match component(more.into()) {
                Ok(name) => self.with(name),
                Err(_) => self.clone(),
            };
        }
        let mut names = Vec::with_capacity(self.names.len() + 1 + separators);
        names.extend_from_slice(&self.names);
        let more = more.split(['\\', '/']).map(WideName::from);
        names.extend(more.filter(WideName::is_component));
        Self {
            drive: self.drive.clone(),
            names: names.into(),
        }
    }

    /// The path with the components of `more` added.
    ///
    /// # Errors
    /// A component of `more` is none that a path can hold.
    pub fn join_rel(&self, more: &RelPath) -> Result<Self, PathError> {
        let mut names = self.names.to_vec();
        for name in more.components() {
            names.push(component(name.clone())?);
        }
        Ok(Self {
            drive: self.drive.clone(),
            names: names.into(),
        })
    }

    /// Adds one component.
    ///
    /// # Errors
    /// The name is empty, `.` or `..`, or holds `\`, `/` or NUL.
    pub fn push(&mut self, name: WideName) -> Result<(), PathError> {
        *self = self.with(component(name)?);
        Ok(())
    }

    /// The path with one more name, which is a component.
    fn with(&self, name: WideName) -> Self {
        Self {
            drive: self.drive.clone(),
            names: self.names.iter().cloned().chain([name]).collect(),
        }
    }

    /// The path without its last component; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, names) = self.names.split_last()?;
        Some(Self {
            drive: self.drive.clone(),
            names: names.into(),
        })
    }

    /// The last component; `None` for the root.
    pub fn file_name(&self) -> Option<&WideName> {
        self.names.last()
    }

    /// The components, without the drive.
    pub fn components(&self) -> std::slice::Iter<'_, WideName> {
        self.names.iter()
    }

    /// The drive or volume, without a separator at the end.
    pub fn drive(&self) -> &WideName {
        &self.drive
    }

    /// Whether this is the root of its drive.
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether both are the same path to a Windows file system.
    pub fn eq_ignore_case(&self, other: &Self) -> bool {
        self.names.len() == other.names.len() && self.starts_with(other)
    }

    /// Whether `base` is this path or one of its ancestors, ignoring case.
    pub fn starts_with(&self, base: &Self) -> bool {
        self.strip_prefix(base).is_some()
    }

    /// What follows `base`, ignoring case; `None` if `base` is neither this path nor one of its ancestors.
    pub fn strip_prefix(&self, base: &Self) -> Option<RelPath> {
        let (head, tail) = self.names.split_at_checked(base.names.len())?;
        let same = self.drive.eq_ignore_case(&base.drive)
            && head
                .iter()
                .zip(&*base.names)
                .all(|(ours, theirs)| ours.eq_ignore_case(theirs));
        same.then(|| tail.iter().cloned().collect())
    }

    /// The path as a Windows string.
    pub fn to_wide(&self) -> WideName {
        let separator = u16::from(b'\\');
        let names: usize = self.names.iter().map(|name| 1 + name.len()).sum();
        let mut units = Vec::with_capacity(self.drive.len() + names.max(1));
        units.extend_from_slice(self.drive.units());
        if self.names.is_empty() {
            units.push(separator);
        }
        for name in &*self.names {
            units.push(separator);
            units.extend_from_slice(name.units());
        }
        WideName::from_units(units)
    }

    /// The path as text, and whether that is all of it: a lone surrogate becomes U+FFFD.
    fn text(&self) -> (String, bool) {
        let names: usize = self.names.iter().map(|name| 1 + name.len()).sum();
        let mut text = String::with_capacity(self.drive.len() + names.max(1));
        let mut whole = self.drive.append_to(&mut text);
        if self.names.is_empty() {
            text.push('\\');
        }
        for name in &*self.names {
            text.push('\\');
            whole &= name.append_to(&mut text);
        }
        (text, whole)
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text().0)
    }
}

impl fmt::Debug for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_wide().fmt(f)
    }
}

impl FromStr for HostPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for HostPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            (text, true) => serializer.serialize_str(&text),
            (_, false) => serializer.collect_seq(std::iter::once(&self.drive).chain(&*self.names)),
        }
    }
}

impl<'de> Deserialize<'de> for HostPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathVisitor)
    }
}

/// Takes either form of a path.
struct PathVisitor;

impl<'de> Visitor<'de> for PathVisitor {
    type Value = HostPath;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an absolute Windows path, or an array of its drive and names")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HostPath, E> {
        HostPath::parse(text).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<HostPath, A::Error> {
        let drive: WideName = names.next_element()?.unwrap_or_default();
        let mut path = HostPath::parse(&drive.to_string()).map_err(A::Error::custom)?;
        while let Some(name) = names.next_element()? {
            path.push(name).map_err(A::Error::custom)?;
        }
        Ok(path)
    }
}

/// The name, if it can be a component.
fn component(name: WideName) -> Result<WideName, PathError> {
    if name.is_component() {
        Ok(name)
    } else {
        Err(PathError::BadComponent { found: name })
    }
}

fn count(text: &str, wanted: u8) -> usize {
    text.bytes().filter(|&byte| byte == wanted).count()
}

fn is_volume(name: &str) -> bool {
    name.get(..7)
        .is_some_and(|head| head.eq_ignore_ascii_case("volume{"))
        && name.ends_with('}')
        && !name.contains('\0')
}
