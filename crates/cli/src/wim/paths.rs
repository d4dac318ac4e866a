//! Paths of an image as text: for people, and for JSON.

use std::fmt::Write;

use wcow_ntmeta::WideName;
use wcow_wim::{Image, NodeId};

use crate::output::is_harmless;

/// Makes paths one after the other. What is the same as in the path before, the folder, is not made again.
pub(super) struct Paths<'i> {
    image: &'i Image,
    style: Style,
    /// The folder whose path, with a separator, the text begins with.
    folder: Option<NodeId>,
    folder_len: usize,
    text: String,
}

/// How odd characters are written.
#[derive(Clone, Copy)]
enum Style {
    /// As `\u{1b}`, so that they do nothing to a terminal.
    Escaped,
    /// As they are; lone surrogates as U+FFFD.
    Lossy,
}

impl<'i> Paths<'i> {
    pub(super) fn new(image: &'i Image) -> Self {
        Self {
            image,
            style: Style::Escaped,
            folder: None,
            folder_len: 0,
            text: String::new(),
        }
    }

    /// Paths for JSON, which has escapes of its own.
    pub(super) fn lossy(image: &'i Image) -> Self {
        Self {
            style: Style::Lossy,
            ..Self::new(image)
        }
    }

    /// The path of a node.
    pub(super) fn shown(&mut self, node: NodeId) -> &str {
        let parent = self.image.parent(node);
        if self.folder != parent || parent.is_none() {
            self.folder = parent;
            self.text.clear();
            let folders: Vec<NodeId> =
                std::iter::successors(parent, |node| self.image.parent(*node)).collect();
            for folder in folders.into_iter().rev().skip(1) {
                self.push(folder);
                self.text.push('\\');
            }
            self.folder_len = self.text.len();
        }
        self.text.truncate(self.folder_len);
        self.push(node);
        &self.text
    }

    fn push(&mut self, node: NodeId) {
        let name = self.image.name(node);
        match self.style {
            Style::Escaped => name
                .chars()
                .for_each(|unit| push_escaped(&mut self.text, unit, is_part_of_a_name)),
            Style::Lossy => {
                let characters = name.chars();
                self.text
                    .extend(characters.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
            }
        }
    }
}

/// A text, which may be a path, as one line that does nothing to a terminal.
pub(super) fn escaped(text: &WideName) -> String {
    let mut line = String::with_capacity(text.len());
    for unit in char::decode_utf16(text.units().iter().copied()) {
        let character = unit.map_err(|lone| lone.unpaired_surrogate());
        push_escaped(&mut line, character, is_harmless);
    }
    line
}

/// Adds a character or lone surrogate, as an escape sequence if it is not fine as it is.
fn push_escaped(text: &mut String, character: Result<char, u16>, fine: fn(char) -> bool) {
    match character {
        Ok(character) if fine(character) => text.push(character),
        Ok(character) => text.extend(character.escape_unicode()),
        Err(lone) => {
            // A string takes whatever is written to it.
            let _ = write!(text, "\\u{{{lone:x}}}");
        }
    }
}

/// Harmless, and not taken for a separator of the path that the name is in.
fn is_part_of_a_name(character: char) -> bool {
    !matches!(character, '/' | '\\') && is_harmless(character)
}
