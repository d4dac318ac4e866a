//! Command lines, taken apart as `CommandLineToArgvW` and `CreateProcessW` do it.

/// The arguments of a command line. The first is the program's name: quotes around it are dropped, and a backslash in it is only
/// a backslash. In the others `2n` backslashes before a quote are `n`, and the quote is a delimiter; `2n+1` are `n` and a
/// literal quote; two quotes in a quoted part are one.
pub(crate) fn arguments(line: &str) -> Vec<String> {
    let (program, mut rest) = program(line);
    let mut all = vec![program];
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            return all;
        }
        let (argument, after) = argument(rest);
        all.push(argument);
        rest = after;
    }
}

/// The program's name in a command line, and what follows it.
pub(crate) fn program(line: &str) -> (String, &str) {
    let line = line.trim_start_matches([' ', '\t']);
    match line.strip_prefix('"') {
        Some(quoted) => {
            let (name, rest) = quoted.split_once('"').unwrap_or((quoted, ""));
            (name.to_owned(), rest)
        }
        None => {
            let end = line.find([' ', '\t']).unwrap_or(line.len());
            let (name, rest) = line.split_at(end);
            (name.to_owned(), rest)
        }
    }
}

fn argument(text: &str) -> (String, &str) {
    let mut argument = String::new();
    let mut quoted = false;
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        match character {
            ' ' | '\t' if !quoted => return (argument, text.get(at..).unwrap_or_default()),
            '\\' => {
                let mut count = 1_usize;
                while rest.next_if(|(_, next)| *next == '\\').is_some() {
                    count += 1;
                }
                let before_quote = rest.peek().is_some_and(|(_, next)| *next == '"');
                let shown = if before_quote { count / 2 } else { count };
                argument.extend(std::iter::repeat_n('\\', shown));
                if before_quote && count % 2 == 1 {
                    argument.push('"');
                    rest.next();
                }
            }
            '"' if quoted && rest.peek().is_some_and(|(_, next)| *next == '"') => {
                argument.push('"');
                rest.next();
            }
            '"' => quoted = !quoted,
            other => argument.push(other),
        }
    }
    (argument, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        assert_eq!(arguments(line), expected, "for {line:?}");
    }

    #[test]
    fn arguments_are_taken_apart_as_windows_does() {
        check("ping", &["ping"]);
        check(
            r#""C:\my dir\x.exe" a "b c" d"#,
            &[r"C:\my dir\x.exe", "a", "b c", "d"],
        );
        check(r#"x a\\b d"e f"g h"#, &["x", r"a\\b", "de fg", "h"]);
        check(r#"x a\\\"b c d"#, &["x", r#"a\"b"#, "c", "d"]);
        check(r#"x a\\\\"b c" d e"#, &["x", r"a\\b c", "d", "e"]);
        check("x \t \"\" y ", &["x", "", "y"]);
        check(r#"x "a ""b"" c""#, &["x", r#"a "b" c"#]);
    }
}
