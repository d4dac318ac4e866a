//! How a command fails: what, on what, why, the code, and the next step.

use std::error::Error;
use std::io::{self, Write};

use wcow_engine::EngineError;
use wcow_host::{HostError, HostInfo, codes, era};

use crate::output::{colours, plain};

/// A failed command, ready to be shown.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What failed, on what.
    message: String,
    /// Why, outermost first.
    causes: Vec<String>,
    /// The host's code, as hex and name.
    code: Option<String>,
    /// The next step.
    help: Option<String>,
    /// The exit code.
    exit: u8,
    /// Say nothing: everything was said already.
    silent: bool,
}

/// Exit codes of the command line.
pub(crate) mod exit {
    pub(crate) const FAILED: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const NOT_FOUND: u8 = 3;
    pub(crate) const CONFLICT: u8 = 4;
    pub(crate) const NOT_SUPPORTED: u8 = 5;
    pub(crate) const INTEGRITY: u8 = 6;
}

impl Failure {
    pub(crate) fn new(exit: u8, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            code: None,
            help: None,
            exit,
            silent: false,
        }
    }

    /// A command that has already shown what is wrong and only ends with a code.
    pub(crate) fn silent(exit: u8) -> Self {
        Self {
            silent: true,
            ..Self::new(exit, "")
        }
    }

    /// Adds an error and everything behind it as causes.
    pub(crate) fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.add_cause(error.to_string());
            next = error.source();
        }
        self
    }

    /// Adds everything behind an error whose own words are said already.
    pub(crate) fn because_source(self, error: &(dyn Error + 'static)) -> Self {
        match error.source() {
            Some(source) => self.because(source),
            None => self,
        }
    }

    /// The same failure with another exit code.
    pub(crate) fn exit_with(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }

    /// True if the host gave a code.
    pub(crate) fn has_code(&self) -> bool {
        self.code.is_some()
    }

    /// True if the host gave this code (`0x80070002`).
    pub(crate) fn is_code(&self, code: &str) -> bool {
        self.code
            .as_deref()
            .is_some_and(|own| own.split(' ').next() == Some(code))
    }

    /// Sets the next step.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// An error of the engine on this host, with the code, its text of that generation, and the way out.
    pub(crate) fn engine(error: &EngineError, host: Option<&HostInfo>) -> Self {
        let mut failure = Self::new(error.exit_code(), error.to_string());
        let answer = error.host_error().map(ToString::to_string);
        let mut next = error.source();
        while let Some(cause) = next {
            // The host's own answer is said below, in the words of its generation.
            if answer.as_ref() != Some(&cause.to_string()) {
                failure.add_cause(cause.to_string());
            }
            next = cause.source();
        }
        if failure.code.is_none()
            && let Some(host_error) = error.host_error()
        {
            failure.add_host_error(host_error, host);
        }
        if let Some(entry) = host.and_then(|host| error.failure(host)) {
            failure.help = Some(format!("{} (wcow explain {})", entry.way_out, entry.id.0));
        } else if failure.help.is_none() {
            failure.help = next_step(error);
        }
        failure
    }

    /// Shows it on standard error and returns the exit code.
    pub(crate) fn show(&self) -> u8 {
        if self.silent {
            return self.exit;
        }
        let mut err = io::stderr().lock();
        let (red, bold, reset) = if colours(&err) {
            ("\u{1b}[1;31m", "\u{1b}[1m", "\u{1b}[0m")
        } else {
            ("", "", "")
        };
        let mut text = format!("{red}error{reset}: {}\n", lines(&self.message));
        for cause in &self.causes {
            text.push_str(&format!("  cause: {}\n", indented(cause)));
        }
        if let Some(code) = &self.code {
            text.push_str(&format!("  code: {code}\n"));
        }
        if let Some(help) = &self.help {
            text.push_str(&format!("{bold}help{reset}: {help}\n"));
        }
        // A standard error that cannot be written to leaves nobody to tell.
        let _ = err.write_all(text.as_bytes());
        self.exit
    }

    fn add_cause(&mut self, cause: String) {
        if cause != self.message && self.causes.last() != Some(&cause) {
            self.causes.push(cause);
        }
    }

    fn add_host_error(&mut self, error: &HostError, host: Option<&HostInfo>) {
        self.code = Some(error.code.to_string());
        let text = match (error.hresult(), host) {
            (Some(code), Some(host)) => {
                codes::text(code, era::generation(host.build)).map(str::to_owned)
            }
            (None, _) => match &error.code {
                wcow_host::Code::PowerShell(error) => Some(error.message.clone()),
                wcow_host::Code::Hresult(_) => None,
            },
            (Some(_), None) => None,
        };
        let answer = text.unwrap_or_else(|| "the host gives no text for this code".to_owned());
        self.add_cause(format!("{} of {}: {answer}", error.operation, error.object));
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // Whoever reads our output may stop reading: that is no failure of ours.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(0);
        }
        Self::new(exit::FAILED, "standard output could not be written").because(&error)
    }
}

fn next_step(error: &EngineError) -> Option<String> {
    Some(match error {
        EngineError::NotFound {
            kind: wcow_engine::Kind::Image,
            existing,
            ..
        } if existing.is_empty() => "install one first: wcow image install FILE".to_owned(),
        EngineError::NotFound {
            kind: wcow_engine::Kind::Network,
            existing,
            ..
        } if existing.is_empty() => {
            "make one first: wcow network create NAME --driver nat".to_owned()
        }
        EngineError::NotFound {
            kind: wcow_engine::Kind::Container,
            existing,
            ..
        } if existing.is_empty() => {
            "make one first: wcow container create IMAGE --name NAME".to_owned()
        }
        EngineError::NotFound { kind, .. } => format!("wcow {kind} ls shows them"),
        EngineError::Exists { kind, .. } => {
            format!("choose another name, or remove it: wcow {kind} rm NAME")
        }
        EngineError::Publish { .. } => {
            "make such a network and name it: wcow network create NAME --driver nat, then --network NAME"
                .to_owned()
        }
        EngineError::InUse { .. } => "remove what uses it first".to_owned(),
        EngineError::Busy { .. } => {
            "try again when that one is done; if it was cut off, in a minute".to_owned()
        }
        EngineError::NoProgram { .. } => {
            "give the program when it is created: wcow container create IMAGE COMMAND".to_owned()
        }
        EngineError::State {
            is: "Unfinished",
            name,
            ..
        } => format!("remove it: wcow container rm {name}"),
        EngineError::State {
            needed: "Running",
            name,
            ..
        } => format!("start it first: wcow container start {name}"),
        EngineError::State { name, .. } => format!("stop it first: wcow container stop {name}"),
        _ => return None,
    })
}

fn indented(text: &str) -> String {
    lines(text).replace('\n', "\n         ")
}

/// Lines that do nothing to a terminal, whatever names from outside are in them.
fn lines(text: &str) -> String {
    text.trim_end()
        .lines()
        .map(plain)
        .collect::<Vec<_>>()
        .join("\n")
}

/// An error and everything behind it, on one line.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
