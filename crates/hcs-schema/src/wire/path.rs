//! Places in a JSON text: a path and an offset find each other.

/// A step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Of an object; `None` before the key is known.
    Key(Option<String>),
    /// Of a list.
    Item(usize),
}

/// A path with one more key, as it is shown.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// A path as it is shown: `VirtualMachine.Devices.Scsi.0`, `Container.MappedDirectories[2]`.
pub(crate) fn show(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |path, step| match step {
        Step::Key(Some(key)) => join(&path, key),
        Step::Key(None) => path,
        Step::Item(number) => format!("{path}[{number}]"),
    })
}

/// Line and column of an offset, both from 1; the column counts bytes.
pub(crate) fn position(text: &[u8], offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.split(|byte| *byte == b'\n');
    let column = line.clone().next_back().map_or(0, <[u8]>::len);
    (line.count(), column + 1)
}

/// The offset of a line and column.
pub(crate) fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let lines = text.split(|byte| *byte == b'\n');
    let before: usize = lines
        .take(line.saturating_sub(1))
        .map(|line| line.len() + 1)
        .sum();
    before + column.saturating_sub(1)
}

/// The path of what stands at an offset, as far as the text before it tells.
pub(crate) fn path_at(text: &[u8], offset: usize) -> Vec<Step> {
    let mut path = None;
    let end = walk(text, |at, _, steps| {
        if at >= offset && path.is_none() {
            path = Some(steps.to_vec());
        }
        path.is_none()
    });
    path.unwrap_or(end)
}

/// The offset of the value at a path; of the last one, if a key is there twice.
pub(crate) fn offset_of(text: &[u8], path: &[Step]) -> Option<usize> {
    let mut found = None;
    walk(text, |at, is_value, steps| {
        if is_value && steps == path {
            found = Some(at);
        }
        true
    });
    found
}

/// Goes over the tokens of a text, well-formed or not, while `visit` says so. It gets the offset of the token, whether a value begins
/// there, and the path before it. Returns the path at the end.
fn walk(text: &[u8], mut visit: impl FnMut(usize, bool, &[Step]) -> bool) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let is_key = *byte == b'"' && steps.last() == Some(&Step::Key(None));
        let is_value = !is_key && !b"}],:".contains(byte);
        if !visit(at, is_value, &steps) {
            break;
        }
        let start = at;
        at += 1;
        match byte {
            b'{' => steps.push(Step::Key(None)),
            b'[' => steps.push(Step::Item(0)),
            b'}' | b']' => {
                steps.pop();
            }
            b',' => match steps.last_mut() {
                Some(Step::Key(key)) => *key = None,
                Some(Step::Item(number)) => *number += 1,
                None => {}
            },
            b':' => {}
            b'"' => {
                at = end_of_string(text, at);
                let raw = text.get(start..at).unwrap_or_default();
                if is_key {
                    let key = serde_json::from_slice(raw);
                    let key = key.unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned());
                    steps.pop();
                    steps.push(Step::Key(Some(key)));
                }
            }
            _ => {
                let rest = text.get(at..).unwrap_or_default();
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{}[],:\"".contains(byte);
                at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
    }
    steps
}

/// The offset behind the quote that closes a string.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    text.len()
}
