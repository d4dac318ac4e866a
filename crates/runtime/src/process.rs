//! Programs run in a container.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::schema1::{ProcessParameters, ProcessStatus};
use wcow_host::client::{self, ClientError, ProcessExit, System};
use wcow_host::codes::win32;
use wcow_host::{Host, HostError, Output, ProcessHandle, SystemHandle, SystemId};

/// A program to be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecSpec {
    /// The whole command line, as the program gets it.
    pub command_line: String,
    /// Environment variables on top of the container's.
    pub environment: BTreeMap<String, String>,
    /// Working directory in the container; empty for its default.
    pub working_directory: String,
    /// User to run as; empty for the container's default.
    pub user: String,
    /// Ask for a standard input pipe; without one the program reads the end of the file.
    pub stdin: bool,
    /// A console: standard error goes into standard output.
    pub console: bool,
}

impl ExecSpec {
    /// A command line with everything else at its default.
    pub fn new(command_line: impl Into<String>) -> Self {
        Self {
            command_line: command_line.into(),
            ..Self::default()
        }
    }

    /// A command line made from separate arguments, quoted as `CommandLineToArgvW` takes them apart.
    #[must_use]
    pub fn from_arguments(arguments: &[String]) -> Self {
        Self::new(
            arguments
                .iter()
                .map(|argument| quote(argument))
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    pub(crate) fn parameters(&self) -> ProcessParameters {
        ProcessParameters {
            command_line: self.command_line.clone(),
            user: self.user.clone(),
            working_directory: self.working_directory.clone(),
            environment: self.environment.clone(),
            emulate_console: self.console,
            create_std_in_pipe: self.stdin,
            create_std_out_pipe: true,
            create_std_err_pipe: !self.console,
            ..ProcessParameters::default()
        }
    }
}

/// How a program is found again by the process that started it: plain data, for as long as the handles are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessHandles {
    /// Its process id in the container.
    pub id: u32,
    /// The handle to its container.
    pub system: SystemHandle,
    /// The handle to it; the pipes belong to it.
    pub process: ProcessHandle,
    /// It has a console: one pipe for both outputs.
    pub console: bool,
}

/// A program that was started in a container. Dropping it leaves the program running.
#[derive(Debug)]
pub struct Process<'h, H: Host> {
    system: System<'h, H>,
    process: client::Process<'h, H>,
    console: bool,
}

impl<'h, H: Host> Process<'h, H> {
    pub(crate) async fn create(
        system: System<'h, H>,
        spec: &ExecSpec,
    ) -> Result<Self, ClientError> {
        match system.exec(&spec.parameters()).await {
            Ok(process) => Ok(Self {
                system,
                process,
                console: spec.console,
            }),
            Err(error) => {
                // A handle that cannot be closed is one the host has already dropped.
                let _ = system.close().await;
                Err(error)
            }
        }
    }

    /// Its process id in the container.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How it is found again.
    #[must_use]
    pub fn handles(&self) -> ProcessHandles {
        ProcessHandles {
            id: self.process.id(),
            system: self.system.handle(),
            process: self.process.handle(),
            console: self.console,
        }
    }

    /// The program behind handles that are still open, in the container of this id.
    #[must_use]
    pub fn from_handles(host: &'h H, container: &SystemId, handles: ProcessHandles) -> Self {
        let system = crate::client(host).system(container.clone(), handles.system);
        Self {
            process: system.process(handles.id, handles.process),
            system,
            console: handles.console,
        }
    }

    /// What is known of it, at once.
    ///
    /// # Errors
    /// The host's answer; 0x6 if the handles are not open, or another process's.
    pub async fn status(&self) -> Result<ProcessStatus, HostError> {
        Ok(self.process.status().await?)
    }

    /// Whether reading would give an answer at once.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn is_ready(&self, output: Output) -> Result<bool, HostError> {
        Ok(self.process.is_ready(output).await?)
    }

    /// What it writes, from all of its pipes, as it comes: at most `max` bytes at once. A read that was begun is never given up, so
    /// that nothing is lost: keep this until both pipes have ended.
    #[must_use]
    pub fn outputs(&self, max: usize) -> Outputs<'_> {
        let mut reads: Vec<Reading<'_>> = Vec::with_capacity(2);
        for &output in self.pipes() {
            reads.push(Reading {
                output,
                again: Box::new(move || Box::pin(self.read(output, max))),
                begun: None,
            });
        }
        Outputs { reads }
    }

    /// The pipes that it has.
    #[must_use]
    pub fn pipes(&self) -> &'static [Output] {
        if self.console {
            &[Output::Out]
        } else {
            &[Output::Out, Output::Err]
        }
    }

    /// Closes the handles to it. It goes on.
    ///
    /// # Errors
    /// The host's answer, where that does not say that they have gone.
    pub async fn close(self) -> Result<(), HostError> {
        let process = self.process.close().await;
        let system = self.system.close().await;
        Ok(process.and(system)?)
    }

    /// Reads what it wrote, at most `max` bytes; waits for output, for ever if need be; empty at the end.
    ///
    /// # Errors
    /// The host's answer, for example after a restart of its service.
    pub async fn read(&self, output: Output, max: usize) -> Result<Vec<u8>, HostError> {
        Ok(self.process.read(output, max).await?)
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// There is no pipe, it is closed, or the program reads nothing of it for five minutes (0x80370118).
    pub async fn write(&self, bytes: &[u8]) -> Result<(), HostError> {
        Ok(self.process.write(bytes).await?)
    }

    /// Writes to its standard input what `next` gives, piece by piece, and ends it when that is empty. One piece is on its way at a time,
    /// and waits while the program reads nothing: read the program's outputs meanwhile ([`beside`](wcow_host::client::beside)), or
    /// both sides wait for each other. A program that ends, or reads no more, is no error.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub async fn feed(&self, mut next: impl FnMut() -> Vec<u8>) -> Result<(), HostError> {
        loop {
            let piece = next();
            let fed = if piece.is_empty() {
                self.close_input().await
            } else {
                self.write(&piece).await
            };
            match fed {
                Err(error) if error.hresult() == Some(win32::NO_DATA) => return Ok(()),
                Ok(()) if !piece.is_empty() => {}
                answer => return answer,
            }
        }
    }

    /// Ends its standard input.
    ///
    /// # Errors
    /// There is no pipe.
    pub async fn close_input(&self) -> Result<(), HostError> {
        Ok(self.process.close_input().await?)
    }

    /// Ends it, through a handle of its own: the service serves the calls on one handle one after the other. False if it has exited
    /// already.
    ///
    /// # Errors
    /// The host's answer.
    pub async fn kill(&mut self) -> Result<bool, HostError> {
        Ok(self.process.kill().await?)
    }

    /// Waits until it has exited, and closes the handles to it. That it has is noticed although nobody tells.
    ///
    /// # Errors
    /// The host's answer, for example after a restart of its service.
    pub async fn wait(self) -> Result<ProcessExit, HostError> {
        let exit = self.process.wait().await;
        let closed = self.close().await;
        let exit = exit?;
        closed?;
        Ok(exit)
    }
}

type Read<'p> = Pin<Box<dyn Future<Output = Result<Vec<u8>, HostError>> + Send + 'p>>;

/// One pipe that is being read.
struct Reading<'p> {
    output: Output,
    again: Box<dyn Fn() -> Read<'p> + Send + 'p>,
    begun: Option<Read<'p>>,
}

/// What a program writes, as it comes.
pub struct Outputs<'p> {
    reads: Vec<Reading<'p>>,
}

impl fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs").finish_non_exhaustive()
    }
}

impl Outputs<'_> {
    /// The next bytes of either pipe; `None` when both have ended. Where both have some, standard output comes first.
    ///
    /// # Errors
    /// As for [`Process::read`]; that pipe counts as ended then.
    pub async fn next(&mut self) -> Result<Option<(Output, Vec<u8>)>, HostError> {
        poll_fn(|context| {
            let mut place = 0;
            while let Some(reading) = self.reads.get_mut(place) {
                let read = reading.begun.get_or_insert_with(|| (reading.again)());
                match read.as_mut().poll(context) {
                    Poll::Pending => place += 1,
                    Poll::Ready(Ok(bytes)) if bytes.is_empty() => {
                        self.reads.remove(place);
                    }
                    Poll::Ready(Ok(bytes)) => {
                        reading.begun = None;
                        return Poll::Ready(Ok(Some((reading.output, bytes))));
                    }
                    Poll::Ready(Err(error)) => {
                        self.reads.remove(place);
                        return Poll::Ready(Err(error));
                    }
                }
            }
            if self.reads.is_empty() {
                Poll::Ready(Ok(None))
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

/// Quotes one argument: backslashes are doubled only where a quote follows them.
fn quote(argument: &str) -> String {
    if !argument.is_empty() && !argument.contains([' ', '\t', '\n', '\u{b}', '"']) {
        return argument.to_owned();
    }
    let mut quoted = String::with_capacity(argument.len().saturating_add(2));
    let mut backslashes = 0_usize;
    quoted.push('"');
    for character in argument.chars() {
        match character {
            '\\' => backslashes = backslashes.saturating_add(1),
            '"' => {
                quoted.extend(std::iter::repeat_n(
                    '\\',
                    backslashes.saturating_mul(2).saturating_add(1),
                ));
                backslashes = 0;
                quoted.push('"');
                continue;
            }
            _ => {
                quoted.extend(std::iter::repeat_n('\\', backslashes));
                backslashes = 0;
            }
        }
        if character != '\\' {
            quoted.push(character);
        }
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes.saturating_mul(2)));
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[track_caller]
    fn check(argument: &str, expected: &str) {
        assert_eq!(quote(argument), expected, "for {argument:?}");
    }

    #[test]
    fn arguments_are_quoted_as_windows_takes_them_apart() {
        check("dir", "dir");
        check("", "\"\"");
        check("two words", "\"two words\"");
        check(r"C:\dir\", r"C:\dir\");
        check(r"C:\my dir\", r#""C:\my dir\\""#);
        check(r#"say "hi""#, r#""say \"hi\"""#);
        check(r#"a\"b"#, r#""a\\\"b""#);
    }
}
