//! Absolute Windows paths. They are never `std::path`: they mean the same on every operating system.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::upcase::{eq_ignore_case, with_upcased};
use crate::wide_name::{is_component, with_text};
use crate::{RelPath, WideName};

const LONG_PREFIX: &str = r"\\?\";
const SEPARATOR: u16 = b'\\' as u16;
/// Paths of up to so many units are put together on the stack.
const SHORT: usize = 200;

/// An absolute Windows path: a drive (`C:`, or a volume as `\\?\Volume{...}`) and components.
///
/// No component is empty, `.` or `..`, and none holds `\`, `/` or NUL. Order and equality are exact, drive first, then one component
/// after the other; [`starts_with`](Self::starts_with), [`strip_prefix`](Self::strip_prefix) and
/// [`eq_ignore_case`](Self::eq_ignore_case) compare as a Windows file system does. Shown with `\`. In serde it is that
/// string, or, if a name is not valid UTF-16, an array of the drive and the components. Clones are cheap, and so are
/// [parents](Self::parent): they share their memory with the whole path.
#[derive(Clone)]
pub struct HostPath {
    /// The drive, then each component after a separator. A path may end before they do.
    units: Arc<[u16]>,
    /// Where the path ends.
    len: usize,
    /// Where the drive ends.
    drive: usize,
    /// Where the parent ends; where the path ends if it has none.
    parent: usize,
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
        let prefix = LONG_PREFIX.len();
        let is_long = text.as_bytes().get(..prefix).is_some_and(|head| {
            let mut pairs = head.iter().zip(LONG_PREFIX.bytes());
            pairs.all(|(&there, wanted)| {
                there == wanted || (is_separator(there.into()) && wanted == b'\\')
            })
        });
        let rest = if is_long {
            text.get(prefix..).unwrap_or_default()
        } else {
            text
        };
        let (drive, tail) = rest.split_once(is_separator).unwrap_or((rest, ""));
        let prefix = match drive.as_bytes() {
            [letter, b':'] if letter.is_ascii_alphabetic() => "",
            _ if is_long && is_volume(drive) => LONG_PREFIX,
            _ => {
                return Err(PathError::NotAbsolute {
                    found: text.to_owned(),
                });
            }
        };
        let tail = tail.strip_suffix(is_separator).unwrap_or(tail);
        let room = prefix.len() + drive.len() + 1 + tail.len();
        let mut end_of_drive = 0;
        let (units, parent) = written(room, |pen| {
            pen.text(prefix);
            pen.text(drive);
            end_of_drive = pen.len;
            pen.parent = pen.len;
            if tail.is_empty() {
                return Ok(());
            }
            tail.split(is_separator)
                .try_for_each(|name| pen.component(name))
        })?;
        Ok(Self {
            len: units.len(),
            units,
            drive: end_of_drive,
            parent,
        })
    }

    /// The root of a drive given as a trusted literal: `C:` or `\\?\Volume{...}`. Separators at the end are dropped.
    ///
    /// The text is not checked; what comes from outside goes through [`parse`](Self::parse).
    pub fn root(drive: &str) -> Self {
        let drive = drive.trim_end_matches(is_separator);
        let units: Arc<[u16]> = drive.encode_utf16().collect();
        Self {
            len: units.len(),
            drive: units.len(),
            parent: units.len(),
            units,
        }
    }

    /// The path with one or more components added, given with `\` or `/` as a trusted literal.
    ///
    /// Parts that are no component (empty, `.`, `..`, with NUL) are left out, so the path stays valid and below `self`.
    /// For names from outside use [`push`](Self::push), which refuses them.
    #[must_use]
    pub fn join(&self, more: &str) -> Self {
        self.extended(1 + more.len(), |pen| {
            if is_plain_name(more.as_bytes()) {
                pen.separator();
                pen.ascii(more.as_bytes());
            } else if more.is_ascii() {
                // No characters to be taken apart.
                for name in more.as_bytes().split(|byte| matches!(byte, b'\\' | b'/')) {
                    pen.component_if_any(|pen| pen.ascii(name));
                }
            } else {
                for name in more.split(is_separator) {
                    pen.component_if_any(|pen| pen.text(name));
                }
            }
        })
    }

    /// The path with the components of `more` added.
    ///
    /// # Errors
    /// A component of `more` is none that a path can hold.
    pub fn join_rel(&self, more: &RelPath) -> Result<Self, PathError> {
        let names = || more.components().iter().map(WideName::units);
        names().try_for_each(check)?;
        let room = names().map(|name| 1 + name.len()).sum();
        Ok(self.extended(room, |pen| names().for_each(|name| pen.name(name))))
    }

    /// Adds one component.
    ///
    /// # Errors
    /// The name is empty, `.` or `..`, or holds `\`, `/` or NUL.
    pub fn push(&mut self, name: &[u16]) -> Result<(), PathError> {
        check(name)?;
        *self = self.extended(1 + name.len(), |pen| pen.name(name));
        Ok(())
    }

    /// The path with what is written behind it, which is no more than `room` units.
    fn extended(&self, room: usize, write: impl FnOnce(&mut Pen<'_>)) -> Self {
        let written = written(self.len + room, |pen| {
            pen.units(self.units());
            pen.parent = self.parent;
            write(pen);
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok((units, parent)) = written;
        Self {
            len: units.len(),
            units,
            drive: self.drive,
            parent,
        }
    }

    /// The path without its last component; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let units = self.parent_units()?;
        let names = units.get(self.drive..).unwrap_or_default();
        let last = names.iter().rposition(|unit| *unit == SEPARATOR);
        Some(Self {
            units: Arc::clone(&self.units),
            len: self.parent,
            drive: self.drive,
            parent: last.map_or(self.parent, |last| self.drive + last),
        })
    }

    /// The units of the path: the drive, then each component after a separator. A root has none at its end.
    pub fn units(&self) -> &[u16] {
        self.head(self.len)
    }

    /// The [units](Self::units) of the parent; `None` for the root.
    pub fn parent_units(&self) -> Option<&[u16]> {
        (!self.is_root()).then(|| self.head(self.parent))
    }

    /// The last component; `None` for the root.
    pub fn file_name(&self) -> Option<&[u16]> {
        self.units().get(self.parent + 1..)
    }

    /// The components, without the drive.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u16]> + Clone {
        self.names(0)
    }

    /// The components behind those of `base`, which this path is known to be below.
    fn components_below(&self, base: &Self) -> impl DoubleEndedIterator<Item = &[u16]> + Clone {
        self.names(base.len.saturating_sub(self.drive))
    }

    /// The components that begin so many units behind the drive.
    fn names(&self, from: usize) -> impl DoubleEndedIterator<Item = &[u16]> + Clone {
        let tail = self.units().get(self.drive + from..);
        let names = tail.and_then(|tail| tail.split_first());
        names
            .into_iter()
            .flat_map(|(_, names)| names.split(|unit| *unit == SEPARATOR))
    }

    /// The drive or volume, without a separator at the end.
    pub fn drive(&self) -> &[u16] {
        self.head(self.drive)
    }

    /// Whether this is the root of its drive.
    pub fn is_root(&self) -> bool {
        self.len == self.drive
    }

    /// Whether both are the same path to a Windows file system.
    pub fn eq_ignore_case(&self, other: &Self) -> bool {
        self.len == other.len && self.starts_with(other)
    }

    /// Whether `base` is this path or one of its ancestors, ignoring case.
    pub fn starts_with(&self, base: &Self) -> bool {
        let next = self.units().get(base.len);
        self.drive == base.drive
            && self.len >= base.len
            && next.is_none_or(|unit| *unit == SEPARATOR)
            && eq_ignore_case(self.head(base.len), base.units())
    }

    /// What follows `base`, ignoring case; `None` if `base` is neither this path nor one of its ancestors.
    pub fn strip_prefix(&self, base: &Self) -> Option<RelPath> {
        self.starts_with(base)
            .then(|| self.components_below(base).map(WideName::from).collect())
    }

    /// The path as a Windows string.
    pub fn to_wide(&self) -> WideName {
        if self.is_root() {
            return self.units().iter().copied().chain([SEPARATOR]).collect();
        }
        self.units().into()
    }

    /// The path as a Windows string with every unit upcased: the same for all spellings of it.
    pub fn upcased(&self) -> WideName {
        if self.is_root() {
            return self.to_wide().upcased();
        }
        with_upcased(self.units(), |units| units.into())
    }

    /// What `ask` makes of the path as text; the second argument is false if a lone surrogate became U+FFFD.
    fn with_text<T>(&self, ask: impl FnOnce(&str, bool) -> T) -> T {
        if self.is_root() {
            with_text(self.to_wide().units(), ask)
        } else {
            with_text(self.units(), ask)
        }
    }

    fn head(&self, len: usize) -> &[u16] {
        self.units.get(..len).unwrap_or_default()
    }
}

/// Writes the units of a path.
struct Pen<'a> {
    units: &'a mut [u16],
    len: usize,
    /// Where the last component's separator is.
    parent: usize,
}

impl Pen<'_> {
    fn units(&mut self, units: &[u16]) {
        if let Some(room) = self.room(units.len()) {
            room.copy_from_slice(units);
        }
    }

    fn text(&mut self, text: &str) {
        if text.is_ascii() {
            self.ascii(text.as_bytes());
        } else {
            text.encode_utf16().for_each(|unit| self.units(&[unit]));
        }
    }

    fn ascii(&mut self, text: &[u8]) {
        let room = self.room(text.len()).unwrap_or_default();
        for (to, byte) in room.iter_mut().zip(text) {
            *to = u16::from(*byte);
        }
    }

    fn separator(&mut self) {
        self.parent = self.len;
        self.units(&[SEPARATOR]);
    }

    /// A component, behind its separator.
    fn name(&mut self, name: &[u16]) {
        self.separator();
        self.units(name);
    }

    /// The next units.
    fn room(&mut self, len: usize) -> Option<&mut [u16]> {
        let from = self.len;
        self.len += len;
        self.units.get_mut(from..self.len)
    }

    /// A name behind its separator, which is refused if it can be no component.
    fn component(&mut self, name: &str) -> Result<(), PathError> {
        check(self.after_separator(|pen| pen.text(name)))
    }

    /// A name behind its separator, or nothing if it can be no component.
    fn component_if_any(&mut self, write: impl FnOnce(&mut Self)) {
        let before = (self.len, self.parent);
        if !is_component(self.after_separator(write)) {
            (self.len, self.parent) = before;
        }
    }

    fn after_separator(&mut self, write: impl FnOnce(&mut Self)) -> &[u16] {
        self.separator();
        let from = self.len;
        write(self);
        self.units.get(from..self.len).unwrap_or_default()
    }
}

/// What is written, which is no more than `room` units, and where its parent ends.
fn written<E>(
    room: usize,
    write: impl FnOnce(&mut Pen<'_>) -> Result<(), E>,
) -> Result<(Arc<[u16]>, usize), E> {
    let mut short = [0; SHORT];
    let mut long = Vec::new();
    let units = match short.get_mut(..room) {
        Some(units) => units,
        None => {
            long.resize(room, 0);
            &mut long
        }
    };
    let mut pen = Pen {
        units,
        len: 0,
        parent: 0,
    };
    write(&mut pen)?;
    let Pen { len, parent, .. } = pen;
    Ok((units.get(..len).unwrap_or_default().into(), parent))
}

impl PartialEq for HostPath {
    fn eq(&self, other: &Self) -> bool {
        self.drive == other.drive && self.units() == other.units()
    }
}

impl Eq for HostPath {}

impl PartialOrd for HostPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HostPath {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_drive = self.drive().cmp(other.drive());
        by_drive.then_with(|| self.components().cmp(other.components()))
    }
}

impl Hash for HostPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.drive.hash(state);
        self.units().hash(state);
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text, _| f.pad(text))
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
        self.with_text(|text, whole| {
            if whole {
                return serializer.serialize_str(text);
            }
            let names = std::iter::once(self.drive()).chain(self.components());
            serializer.collect_seq(names.map(WideName::from))
        })
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
        while let Some(name) = names.next_element::<WideName>()? {
            path.push(name.units()).map_err(A::Error::custom)?;
        }
        Ok(path)
    }
}

/// Whether a text is one component of ASCII, as almost everything is that is joined to a path.
fn is_plain_name(text: &[u8]) -> bool {
    let is_other = |byte: u8| (byte == 0) | (byte == b'/') | (byte == b'\\') | !byte.is_ascii();
    !matches!(text, b"" | b"." | b"..")
        && !text.iter().fold(false, |any, &byte| any | is_other(byte))
}

fn is_separator(character: char) -> bool {
    matches!(character, '\\' | '/')
}

/// Refuses a name that can be no component.
fn check(name: &[u16]) -> Result<(), PathError> {
    if is_component(name) {
        Ok(())
    } else {
        Err(PathError::BadComponent { found: name.into() })
    }
}

fn is_volume(name: &str) -> bool {
    name.get(..7)
        .is_some_and(|head| head.eq_ignore_ascii_case("volume{"))
        && name.ends_with('}')
        && !name.contains('\0')
}
