//! Data on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::args::Format;

/// Where a command puts what it has to show.
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// True when data is to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Shows a list: a table with these columns, or JSON of this kind.
    pub(crate) fn list<T: Serialize>(
        &self,
        kind: &str,
        items: &[T],
        columns: &[&str],
        row: impl Fn(&T) -> Vec<String>,
    ) -> io::Result<()> {
        if self.is_json() {
            return self.json(kind, items);
        }
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        self.text(&table(columns, &rows))
    }

    /// Shows one thing: lines of `name: value`, or JSON of this kind with one item.
    pub(crate) fn record<T: Serialize>(
        &self,
        kind: &str,
        item: &T,
        lines: &[(&str, String)],
    ) -> io::Result<()> {
        if self.is_json() {
            return self.json(kind, std::slice::from_ref(item));
        }
        let width = lines
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        let text: String = lines
            .iter()
            .map(|(name, value)| format!("{name:<width$}  {}\n", plain(value)))
            .collect();
        self.text(&text)
    }

    /// Writes `{"schema":"wcow.<kind>/1","items":[...]}`.
    pub(crate) fn json<T: Serialize>(&self, kind: &str, items: &[T]) -> io::Result<()> {
        self.json_each(kind, items, |item| item)
    }

    /// Writes the same, each item made when it is its turn: a list of many takes no memory for all of them.
    pub(crate) fn json_each<'a, I, T: Serialize>(
        &self,
        kind: &str,
        items: &'a [I],
        mut make: impl FnMut(&'a I) -> T,
    ) -> io::Result<()> {
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        write!(out, "{{\"schema\":\"wcow.{kind}/1\",\"items\":[")?;
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                out.write_all(b",")?;
            }
            serde_json::to_writer(&mut out, &make(item))?;
        }
        out.write_all(b"]}\n")?;
        out.flush()
    }

    /// Writes text for people to standard output.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Writes one line to standard output, unless data is JSON: the name of what a command made, as docker does.
    pub(crate) fn line(&self, line: &str) -> io::Result<()> {
        if self.is_json() {
            Ok(())
        } else {
            self.text(&format!("{line}\n"))
        }
    }
}

/// A notice on standard error.
pub(crate) fn note(text: &str) {
    let lines: String = text.lines().map(|line| plain(line) + "\n").collect();
    // A standard error that cannot be written to leaves nobody to tell.
    let _ = io::stderr().lock().write_all(lines.as_bytes());
}

/// True when colours may be used on this stream.
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Text from outside as one line that does nothing to a terminal: control characters and the like are written as `\u{1b}`.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmless(character) {
            plain.push(character);
        } else {
            plain.extend(character.escape_unicode());
        }
    }
    plain
}

/// No control character, nothing that ends a line or turns the direction of text.
pub(crate) fn is_harmless(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        _ => !character.is_control(),
    }
}

/// Columns padded to their widest cell, two spaces between them, no padding at the end of a line.
pub(crate) fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let mut widths: Vec<usize> = columns
        .iter()
        .map(|column| column.chars().count())
        .collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let head: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    for row in std::iter::once(&head).chain(&rows) {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(
                ' ',
                width.saturating_sub(cell.chars().count()).saturating_add(2),
            ));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A number of things: `1 file`, `2 files`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// A size with a unit, three digits at the most before it: `1.5 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut unit = 0;
    let mut divisor = 1_u64;
    while bytes / divisor >= 1024 && unit + 1 < UNITS.len() {
        unit += 1;
        divisor = divisor.saturating_mul(1024);
    }
    let whole = bytes / divisor;
    let name = UNITS.get(unit).copied().unwrap_or("B");
    if unit == 0 {
        return format!("{whole} {name}");
    }
    let tenth = (bytes % divisor).saturating_mul(10) / divisor;
    format!("{whole}.{tenth} {name}")
}

#[cfg(test)]
mod tests {
    use super::{plain, size, table};

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(
            plain("a\u{1b}[31m\n\u{9b}b é"),
            "a\\u{1b}[31m\\u{a}\\u{9b}b é"
        );
    }

    #[test]
    fn sizes_have_one_decimal_and_a_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (44_040_192, "42.0 MiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![
            vec!["a".to_owned(), "b".to_owned()],
            vec!["long".to_owned(), String::new()],
        ];
        assert_eq!(table(&["X", "Y"], &rows), "X     Y\na     b\nlong\n");
    }
}
