//! The command processor's grammar: variables, separators, quotes, redirections.

use serde::{Deserialize, Serialize};

use super::process::Environment;

/// One command of a line, with its place in it: sequences are separated by `&`, alternatives in a sequence by `||`, and what an
/// alternative consists of by `&&`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Command {
    pub(crate) sequence: u32,
    pub(crate) alternative: u32,
    /// The command without its redirections.
    pub(crate) text: String,
    pub(crate) redirections: Vec<Redirection>,
}

/// Where a stream of one command goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Redirection {
    /// Into a file; `stream` 1 is standard output, 2 standard error.
    ToFile {
        stream: u8,
        file: String,
        append: bool,
    },
    /// Where another stream goes.
    ToStream { stream: u8, other: u8 },
    /// From a file. Nothing that the guest runs reads it.
    FromFile { file: String },
}

/// The line is not one that the command processor understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadSyntax;

/// Takes a line apart.
pub(crate) fn commands(line: &str) -> Result<Vec<Command>, BadSyntax> {
    let mut parser = Parser {
        rest: line.chars().peekable(),
        current: empty(0, 0),
        done: Vec::new(),
    };
    parser.run()?;
    Ok(parser.done)
}

/// Replaces `%NAME%` by the variable's value. What is no variable stays as it is, as in `cmd /c`.
pub(crate) fn expand(
    line: &str,
    environment: &Environment,
    dynamic: impl Fn(&str) -> Option<String>,
) -> String {
    let mut expanded = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let value = after.split_once('%').and_then(|(name, behind)| {
            let value = environment
                .get(name)
                .map(str::to_owned)
                .or_else(|| dynamic(name))?;
            Some((value, behind))
        });
        match value {
            Some((value, behind)) => {
                expanded.push_str(&value);
                rest = behind;
            }
            None => {
                expanded.push('%');
                rest = after;
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

struct Parser<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    current: Command,
    done: Vec<Command>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), BadSyntax> {
        let mut quoted = false;
        while let Some(character) = self.rest.next() {
            match character {
                '"' => {
                    quoted = !quoted;
                    self.current.text.push('"');
                }
                other if quoted => self.current.text.push(other),
                '^' => self.current.text.extend(self.rest.next()),
                '&' => {
                    let (sequence, alternative) = (self.current.sequence, self.current.alternative);
                    if self.rest.next_if_eq(&'&').is_some() {
                        self.close(sequence, alternative)?;
                    } else {
                        self.close(sequence + 1, 0)?;
                    }
                }
                '|' => {
                    if self.rest.next_if_eq(&'|').is_none() {
                        // A pipe between two programs, which this guest does not have.
                        return Err(BadSyntax);
                    }
                    self.close(self.current.sequence, self.current.alternative + 1)?;
                }
                '<' => {
                    let file = self.word()?;
                    self.current
                        .redirections
                        .push(Redirection::FromFile { file });
                }
                '>' => self.redirect()?,
                other => self.current.text.push(other),
            }
        }
        if !self.current.is_empty() {
            let last = std::mem::replace(&mut self.current, empty(0, 0));
            self.done.push(last);
        } else if self.current.alternative > 0
            || self
                .done
                .last()
                .is_some_and(|last| last.sequence == self.current.sequence)
        {
            return Err(BadSyntax);
        }
        Ok(())
    }

    /// Ends the current command; the next has this place.
    fn close(&mut self, sequence: u32, alternative: u32) -> Result<(), BadSyntax> {
        if self.current.is_empty() {
            return Err(BadSyntax);
        }
        let command = std::mem::replace(&mut self.current, empty(sequence, alternative));
        self.done.push(command);
        Ok(())
    }

    fn redirect(&mut self) -> Result<(), BadSyntax> {
        // A digit that stands alone before the sign says which stream.
        let text = &mut self.current.text;
        let mut stream = 1;
        let digit = text.chars().next_back().and_then(|last| last.to_digit(10));
        if let Some(digit @ 1..=2) = digit {
            let before = text.get(..text.len() - 1).unwrap_or_default();
            if before.is_empty() || before.ends_with([' ', '\t']) {
                stream = if digit == 2 { 2 } else { 1 };
                text.pop();
            }
        }
        let append = self.rest.next_if_eq(&'>').is_some();
        let redirection = if self.rest.next_if_eq(&'&').is_some() {
            let other = match self.rest.next() {
                Some('1') => 1,
                Some('2') => 2,
                _ => return Err(BadSyntax),
            };
            Redirection::ToStream { stream, other }
        } else {
            Redirection::ToFile {
                stream,
                file: self.word()?,
                append,
            }
        };
        self.current.redirections.push(redirection);
        Ok(())
    }

    /// The file name of a redirection.
    fn word(&mut self) -> Result<String, BadSyntax> {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let mut word = String::new();
        let mut quoted = false;
        while let Some(character) = self
            .rest
            .next_if(|c| quoted || !matches!(c, ' ' | '\t' | '&' | '|' | '<' | '>'))
        {
            if character == '"' {
                quoted = !quoted;
            } else {
                word.push(character);
            }
        }
        if word.is_empty() {
            Err(BadSyntax)
        } else {
            Ok(word)
        }
    }
}

impl Command {
    fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.redirections.is_empty()
    }
}

fn empty(sequence: u32, alternative: u32) -> Command {
    Command {
        sequence,
        alternative,
        text: String::new(),
        redirections: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[(u32, u32, &str)]) {
        let commands = commands(line).unwrap();
        let found: Vec<(u32, u32, &str)> = commands
            .iter()
            .map(|c| (c.sequence, c.alternative, c.text.trim()))
            .collect();
        assert_eq!(found, expected, "for {line:?}");
    }

    #[test]
    fn lines_are_taken_apart_with_the_command_processors_precedence() {
        check("a & b", &[(0, 0, "a"), (1, 0, "b")]);
        check(
            "a || b && c & d",
            &[(0, 0, "a"), (0, 1, "b"), (0, 1, "c"), (1, 0, "d")],
        );
        check(r#"echo "a & b" ^& c"#, &[(0, 0, r#"echo "a & b" & c"#)]);
        check("a &", &[(0, 0, "a")]);
    }

    #[test]
    fn redirections_are_taken_out() {
        let commands = commands("dir > a.txt 2>&1").unwrap();
        assert_eq!(
            commands[0].redirections,
            [
                Redirection::ToFile {
                    stream: 1,
                    file: "a.txt".to_owned(),
                    append: false
                },
                Redirection::ToStream {
                    stream: 2,
                    other: 1
                }
            ]
        );
        assert_eq!(commands[0].text.trim(), "dir");
    }

    #[test]
    fn a_line_that_makes_no_sense_is_refused() {
        for line in ["a &&", "a ||", "& a", "a | b", "a >", "a 2>&x"] {
            assert_eq!(commands(line), Err(BadSyntax), "{line}");
        }
    }
}
