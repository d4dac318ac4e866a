//! Programs run in a container.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::schema1::{ProcessParameters, ProcessStatus};
use wcow_host::{ComputeService, Host, HostError, Output, ProcessHandle, SystemHandle};

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
    host: &'h H,
    handles: ProcessHandles,
}

impl<'h, H: Host> Process<'h, H> {
    pub(crate) async fn create(
        host: &'h H,
        system: SystemHandle,
        spec: &ExecSpec,
    ) -> Result<Self, HostError> {
        let compute = host.compute();
        let process = compute.create_process(system, &spec.parameters()).await?;
        match compute.process_status(process).await {
            Ok(status) => Ok(Self {
                host,
                handles: ProcessHandles {
                    id: status.process_id,
                    system,
                    process,
                    console: spec.console,
                },
            }),
            Err(error) => {
                // As for the system's handle: one that cannot be closed is gone.
                let _ = compute.close_process(process).await;
                Err(error)
            }
        }
    }

    /// Its process id in the container.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.handles.id
    }

    /// How it is found again.
    #[must_use]
    pub fn handles(&self) -> ProcessHandles {
        self.handles
    }

    /// The program behind handles that are still open.
    #[must_use]
    pub fn from_handles(host: &'h H, handles: ProcessHandles) -> Self {
        Self { host, handles }
    }

    /// What is known of it, at once.
    ///
    /// # Errors
    /// The host's answer; 0x6 if the handles are not open, or another process's.
    pub async fn status(&self) -> Result<ProcessStatus, HostError> {
        self.host
            .compute()
            .process_status(self.handles.process)
            .await
    }

    /// Whether reading would give an answer at once.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub async fn is_ready(&self, output: Output) -> Result<bool, HostError> {
        self.host
            .compute()
            .output_ready(self.handles.process, output)
            .await
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
        if self.handles.console {
            &[Output::Out]
        } else {
            &[Output::Out, Output::Err]
        }
    }

    /// Closes the handles to it. It goes on.
    ///
    /// # Errors
    /// They are not open.
    pub async fn close(self) -> Result<(), HostError> {
        let compute = self.host.compute();
        let process = compute.close_process(self.handles.process).await;
        let system = compute.close(self.handles.system).await;
        process.and(system)
    }

    /// Reads what it wrote, at most `max` bytes; waits for output; empty at the end.
    ///
    /// # Errors
    /// The host's answer, for example after a restart of its service.
    pub async fn read(&self, output: Output, max: usize) -> Result<Vec<u8>, HostError> {
        self.host
            .compute()
            .read_output(self.handles.process, output, max)
            .await
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// There is no pipe, or it is closed.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), HostError> {
        self.host
            .compute()
            .write_input(self.handles.process, bytes)
            .await
    }

    /// Ends its standard input.
    ///
    /// # Errors
    /// There is no pipe.
    pub async fn close_input(&self) -> Result<(), HostError> {
        self.host.compute().close_input(self.handles.process).await
    }

    /// Ends it.
    ///
    /// # Errors
    /// It has already exited.
    pub async fn terminate(&self) -> Result<(), HostError> {
        self.host
            .compute()
            .terminate_process(self.handles.process)
            .await
    }

    /// Waits until it has exited, and closes the handles to it.
    ///
    /// # Errors
    /// The host's answer, for example after a restart of its service.
    pub async fn wait(self) -> Result<ProcessStatus, HostError> {
        let compute = self.host.compute();
        let status = compute.wait_process(self.handles.process).await;
        let process = compute.close_process(self.handles.process).await;
        let system = compute.close(self.handles.system).await;
        let status = status?;
        process.and(system)?;
        Ok(status)
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
