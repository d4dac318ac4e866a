//! The commands that are part of the command processor.

use std::fmt::Write as _;

use wcow_host::codes::{self, win32};
use wcow_host::era;
use wcow_ntmeta::{FileAttributes, FileTime, Hresult, RelPath, WideName};

use super::cmd::{Cmd, Streams};
use super::pipes::Chunk;
use super::view::Seen;
use super::{Context, paths};

/// How a command ended.
pub(super) enum Done {
    /// With this result.
    Code(u32),
    /// It ends the command processor.
    Exit(u32),
}

/// Runs a command if it is one of the command processor's own.
pub(super) fn run(
    text: &str,
    streams: &Streams,
    cmd: &mut Cmd,
    context: &mut Context<'_, '_>,
) -> Option<Done> {
    if text.trim().is_empty() {
        return Some(Done::Code(0));
    }
    let end = text
        .find(|character: char| !character.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = name.to_ascii_lowercase();
    let ends_here = match rest.chars().next() {
        None | Some(' ' | '\t' | '/' | ',' | ';' | '=') => true,
        Some('.' | ':' | '(' | '+' | '[' | ']') if name == "echo" => true,
        Some('.' | '\\') => matches!(name.as_str(), "cd" | "chdir" | "dir"),
        Some(_) => false,
    };
    if !ends_here {
        return None;
    }
    let outcome = match name.as_str() {
        "echo" => echo(rest, streams, cmd, context),
        "ver" => {
            let text = format!("\r\nMicrosoft Windows [Version 10.0.{}]\r\n", context.build);
            streams.print(context, &text).map(|()| 0)
        }
        "exit" => return Some(Done::Exit(exit_code(rest, cmd))),
        "set" => set(rest, streams, context),
        "dir" => dir(rest, streams, context),
        "type" => type_files(rest, streams, context),
        "copy" => copy(rest, streams, context),
        "del" | "erase" => del(rest, streams, context),
        "cd" | "chdir" => cd(rest, streams, context),
        "md" | "mkdir" => md(rest, streams, context),
        "rem" => Ok(0),
        _ => return None,
    };
    let code = outcome.unwrap_or_else(|code| {
        streams.complain(context, text_of(code, context));
        1
    });
    // These leave ERRORLEVEL alone when they succeed.
    if code != 0
        || !matches!(
            name.as_str(),
            "echo" | "rem" | "set" | "cd" | "chdir" | "ver"
        )
    {
        cmd.level = code;
    }
    Some(Done::Code(code))
}

/// The text of a code, as programs of that Windows show it.
pub(super) fn text(code: Hresult, build: u32) -> &'static str {
    codes::text(code, era::generation(build))
        .unwrap_or("The system cannot execute the specified program.")
}

fn text_of(code: Hresult, context: &Context<'_, '_>) -> &'static str {
    text(code, context.build)
}

fn echo(
    rest: &str,
    streams: &Streams,
    cmd: &mut Cmd,
    context: &mut Context<'_, '_>,
) -> Result<u32, Hresult> {
    let mut characters = rest.chars();
    let separator = characters.next();
    let said = characters.as_str();
    let plain = matches!(separator, None | Some(' ' | '\t' | ',' | ';' | '='));
    let word = said.trim();
    let text = if plain && word.is_empty() {
        format!("ECHO is {}.\r\n", if cmd.echo { "on" } else { "off" })
    } else if plain && word.eq_ignore_ascii_case("on") {
        cmd.echo = true;
        return Ok(0);
    } else if plain && word.eq_ignore_ascii_case("off") {
        cmd.echo = false;
        return Ok(0);
    } else {
        format!("{said}\r\n")
    };
    streams.print(context, &text)?;
    Ok(0)
}

fn exit_code(rest: &str, cmd: &Cmd) -> u32 {
    let mut words = rest.split_ascii_whitespace().peekable();
    if words
        .peek()
        .is_some_and(|word| word.eq_ignore_ascii_case("/b"))
    {
        words.next();
    }
    words.next().map_or(cmd.level, |word| {
        word.parse::<i32>().map_or(0, i32::cast_unsigned)
    })
}

fn set(rest: &str, streams: &Streams, context: &mut Context<'_, '_>) -> Result<u32, Hresult> {
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('"') {
        Some(quoted) => quoted.rsplit_once('"').map_or(quoted, |(inner, _)| inner),
        None => rest,
    };
    if let Some((name, value)) = rest.split_once('=')
        && !name.is_empty()
    {
        context.process.environment.set(name, value);
        return Ok(0);
    }
    let prefix = rest.trim_end();
    let mut lines = String::new();
    for (name, value) in context.process.environment.starting_with(prefix) {
        let _ = write!(lines, "{name}={value}\r\n");
    }
    if lines.is_empty() {
        streams.complain(
            context,
            &format!("Environment variable {prefix} not defined"),
        );
        return Ok(1);
    }
    streams.print(context, &lines)?;
    Ok(0)
}

/// A directory and a pattern for names in it.
struct Wanted {
    directory: RelPath,
    pattern: WideName,
    /// True if a single directory was named, and all in it is meant.
    all: bool,
}

fn wanted(text: &str, context: &mut Context<'_, '_>) -> Result<Wanted, Hresult> {
    let path = resolve(text, context)?;
    if context.view.is_directory(&path) {
        return Ok(Wanted {
            directory: path,
            pattern: "*".into(),
            all: true,
        });
    }
    let directory = path.parent().unwrap_or_default();
    if !context.view.is_directory(&directory) {
        return Err(win32::PATH_NOT_FOUND);
    }
    let pattern = path.file_name().cloned().unwrap_or_default();
    Ok(Wanted {
        directory,
        pattern,
        all: false,
    })
}

/// The files that a text means: their paths. Directories are left out.
fn files(text: &str, context: &mut Context<'_, '_>) -> Result<Vec<(RelPath, Seen)>, Hresult> {
    let wanted = wanted(text, context)?;
    let listed = context.view.list(&wanted.directory)?;
    Ok(listed
        .into_iter()
        .filter(|seen| !seen.is_directory() && paths::fits(&wanted.pattern, &seen.name))
        .map(|seen| (wanted.directory.join(seen.name.clone()), seen))
        .collect())
}

fn resolve(text: &str, context: &Context<'_, '_>) -> Result<RelPath, Hresult> {
    paths::resolve(text, &context.process.directory)
        .map_err(|paths::NoSuchDrive| win32::PATH_NOT_FOUND)
}

fn dir(rest: &str, streams: &Streams, context: &mut Context<'_, '_>) -> Result<u32, Hresult> {
    let words = Operands::read(rest);
    let (mut bare, mut hidden) = (false, false);
    for switch in &words.switches {
        match switch.to_ascii_lowercase().as_str() {
            "b" => bare = true,
            "a" => hidden = true,
            // Order by name, long names: as it is.
            "n" | "on" | "o" | "-c" => {}
            _ => {
                streams.complain(context, &format!("Invalid switch - \"{switch}\"."));
                return Ok(1);
            }
        }
    }
    let path = words.paths.first().map_or(".", String::as_str);
    let wanted = wanted(path, context)?;
    let mut listed = context.view.list(&wanted.directory)?;
    listed.retain(|seen| {
        let attributes = seen.metadata.attributes;
        let shown = hidden
            || !attributes.contains(FileAttributes::HIDDEN)
                && !attributes.contains(FileAttributes::SYSTEM);
        shown && paths::fits(&wanted.pattern, &seen.name)
    });
    let mut text = String::new();
    if bare {
        for seen in &listed {
            let _ = write!(text, "{}\r\n", seen.name);
        }
    } else {
        let serial = serial_number(context.computer);
        let _ = write!(
            text,
            " Volume in drive C has no label.\r\n Volume Serial Number is {:04X}-{:04X}\r\n\r\n Directory of {}\r\n\r\n",
            serial >> 16,
            serial & 0xffff,
            paths::show(&wanted.directory)
        );
    }
    // Every directory but the root holds at least itself and its parent.
    let dots = wanted.all && !wanted.directory.is_root();
    if listed.is_empty() && !dots {
        streams.print(context, &text)?;
        streams.complain(context, "File Not Found");
        return Ok(1);
    }
    if !bare {
        let free = context.view.free_bytes();
        if dots {
            let written = context
                .view
                .stat(&wanted.directory)?
                .map_or(FileTime::ZERO, |seen| seen.metadata.written);
            for name in [".", ".."] {
                directory_line(&mut text, written, &name.into());
            }
        }
        let (mut count, mut bytes, mut directories) = (0_u64, 0_u64, 0_u64);
        if dots {
            directories += 2;
        }
        for seen in &listed {
            let written = seen.metadata.written;
            if seen.is_directory() {
                directories += 1;
                directory_line(&mut text, written, &seen.name);
            } else {
                count += 1;
                bytes = bytes.saturating_add(seen.metadata.len);
                let len = grouped(seen.metadata.len);
                let _ = write!(text, "{} {len:>17} {}\r\n", stamp(written), seen.name);
            }
        }
        let (bytes, free) = (grouped(bytes), grouped(free));
        let _ = write!(
            text,
            "{count:>16} File(s) {bytes:>14} bytes\r\n{directories:>16} Dir(s) {free:>15} bytes free\r\n"
        );
    }
    streams.print(context, &text)?;
    Ok(0)
}

fn directory_line(text: &mut String, written: FileTime, name: &WideName) {
    let _ = write!(text, "{}    <DIR>          {name}\r\n", stamp(written));
}

/// Date and time as `dir` shows them: `08/19/2015  02:05 PM`.
fn stamp(time: FileTime) -> String {
    let text = time.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or("00");
    let hour: u32 = part(11..13).parse().unwrap_or_default();
    let (shown, half) = match hour {
        0 => (12, "AM"),
        1..=11 => (hour, "AM"),
        12 => (12, "PM"),
        _ => (hour - 12, "PM"),
    };
    format!(
        "{}/{}/{}  {shown:02}:{} {half}",
        part(5..7),
        part(8..10),
        part(0..4),
        part(14..16)
    )
}

/// A number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number that a container keeps as long as it has its name.
fn serial_number(computer: &str) -> u32 {
    computer.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

fn type_files(
    rest: &str,
    streams: &Streams,
    context: &mut Context<'_, '_>,
) -> Result<u32, Hresult> {
    let words = Operands::read(rest);
    if words.paths.is_empty() {
        streams.complain(context, "The syntax of the command is incorrect.");
        return Ok(1);
    }
    for path in &words.paths {
        if paths::is_nul(path) {
            continue;
        }
        if context.view.is_directory(&resolve(path, context)?) {
            return Err(win32::ACCESS_DENIED);
        }
        let files = files(path, context)?;
        if files.is_empty() {
            return Err(win32::FILE_NOT_FOUND);
        }
        for (_, seen) in files {
            let chunk = Chunk::File {
                content: seen.content,
                from: 0,
            };
            context.emit(&streams.out, chunk)?;
        }
    }
    Ok(0)
}

fn copy(rest: &str, streams: &Streams, context: &mut Context<'_, '_>) -> Result<u32, Hresult> {
    let words = Operands::read(rest);
    let (from, to) = match words.paths.as_slice() {
        [from] => (from.as_str(), "."),
        [from, to] => (from.as_str(), to.as_str()),
        _ => {
            streams.complain(context, "The syntax of the command is incorrect.");
            return Ok(1);
        }
    };
    let sources = files(from, context)?;
    if sources.is_empty() {
        return Err(win32::FILE_NOT_FOUND);
    }
    let target = resolve(to, context)?;
    let into = context.view.is_directory(&target);
    let many = from.contains(['*', '?']);
    let mut copied = 0;
    for (path, seen) in sources {
        let target = if into {
            target.join(seen.name.clone())
        } else {
            target.clone()
        };
        if many {
            streams.print(context, &format!("{}\r\n", seen.name))?;
        }
        if target.eq_ignore_case(&path) {
            streams.complain(context, "The file cannot be copied onto itself.");
            streams.print(context, "        0 file(s) copied.\r\n")?;
            return Ok(1);
        }
        if paths::is_nul(to) {
            copied += 1;
            continue;
        }
        context.view.write(&target, seen.content)?;
        copied += 1;
    }
    streams.print(context, &format!("        {copied} file(s) copied.\r\n"))?;
    Ok(0)
}

fn del(rest: &str, streams: &Streams, context: &mut Context<'_, '_>) -> Result<u32, Hresult> {
    let words = Operands::read(rest);
    if words.paths.is_empty() {
        streams.complain(context, "The syntax of the command is incorrect.");
        return Ok(1);
    }
    for path in &words.paths {
        let found = match files(path, context) {
            Ok(found) => found,
            Err(code) if code == win32::PATH_NOT_FOUND => return Err(code),
            Err(_) => Vec::new(),
        };
        if found.is_empty() {
            let shown = paths::show(&resolve(path, context)?);
            streams.complain(context, &format!("Could Not Find {shown}"));
        }
        for (path, _) in found {
            if let Err(code) = context.view.remove_file(&path) {
                streams.complain(context, &paths::show(&path));
                streams.complain(context, text_of(code, context));
            }
        }
    }
    // What could not be deleted does not change the result.
    Ok(0)
}

fn cd(rest: &str, streams: &Streams, context: &mut Context<'_, '_>) -> Result<u32, Hresult> {
    let mut rest = rest.trim();
    if let Some(("/d" | "/D", after)) = rest.split_once([' ', '\t']) {
        rest = after.trim();
    }
    if rest.is_empty() {
        let shown = paths::show(&context.process.directory);
        streams.print(context, &format!("{shown}\r\n"))?;
        return Ok(0);
    }
    let path = resolve(rest, context)?;
    if !context.view.is_directory(&path) {
        return Err(win32::PATH_NOT_FOUND);
    }
    // The directory is kept as the disk spells it.
    let mut spelled = RelPath::root();
    for name in path.components() {
        let known = context.view.spelled(&spelled.join(name.clone()))?;
        spelled.push(known.unwrap_or_else(|| name.clone()));
    }
    context.process.directory = spelled;
    Ok(0)
}

fn md(rest: &str, streams: &Streams, context: &mut Context<'_, '_>) -> Result<u32, Hresult> {
    let words = Operands::read(rest);
    if words.paths.is_empty() {
        streams.complain(context, "The syntax of the command is incorrect.");
        return Ok(1);
    }
    for path in &words.paths {
        let made = resolve(path, context)?;
        match context.view.create_directory(&made) {
            Err(code) if code == win32::ALREADY_EXISTS => {
                let text = format!("A subdirectory or file {path} already exists.");
                streams.complain(context, &text);
                return Ok(1);
            }
            other => other?,
        }
    }
    Ok(0)
}

/// The words of a command: switches without their slash, and the rest without quotes.
#[derive(Default)]
struct Operands {
    switches: Vec<String>,
    paths: Vec<String>,
}

impl Operands {
    fn read(text: &str) -> Self {
        let mut operands = Self::default();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',', ';', '=']);
            if rest.is_empty() {
                return operands;
            }
            let switch = rest.starts_with('/');
            let mut quoted = false;
            let end = rest
                .char_indices()
                .skip(1)
                .find(|&(_, character)| {
                    if character == '"' {
                        quoted = !quoted;
                    }
                    let first_quote = rest.starts_with('"');
                    let in_quotes = quoted != first_quote;
                    !in_quotes && matches!(character, ' ' | '\t' | '/' | ',' | ';')
                })
                .map_or(rest.len(), |(at, _)| at);
            let (word, after) = rest.split_at(end);
            if switch {
                operands
                    .switches
                    .push(word.trim_start_matches('/').to_owned());
            } else {
                operands.paths.push(word.replace('"', ""));
            }
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_look_as_dir_shows_them() {
        let time = FileTime::parse_rfc3339("2015-08-19T14:05:09Z").unwrap();
        assert_eq!(stamp(time), "08/19/2015  02:05 PM");
        assert_eq!(grouped(44_040_192), "44,040,192");
        assert_eq!(grouped(999), "999");
    }

    #[test]
    fn operands_keep_spaces_in_quotes() {
        let operands = Operands::read(r#"/b "C:\Program Files"/a x"#);
        assert_eq!(operands.switches, ["b", "a"]);
        assert_eq!(operands.paths, [r"C:\Program Files", "x"]);
    }
}
