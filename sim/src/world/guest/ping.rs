//! `ping.exe`: one reply every second from names that mean the container itself.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::{Context, Next};
use crate::world::TICKS_PER_SECOND;

/// The program's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ping {
    /// Not yet begun: the host's name, how many replies are wanted.
    New { host: String, count: Option<u64> },
    /// The command line was wrong; what it says.
    Refused(String),
    /// Underway: how many replies came.
    Sending { count: Option<u64>, sent: u64 },
}

impl Ping {
    /// The program with its arguments, its name first.
    pub(crate) fn new(arguments: &[String]) -> Self {
        let mut host = None;
        let mut count = Some(4);
        let mut rest = arguments.iter().skip(1);
        while let Some(argument) = rest.next() {
            let option = argument.strip_prefix(['-', '/']);
            match option.map(str::to_ascii_lowercase).as_deref() {
                Some("t") => count = None,
                Some("4" | "6") => {}
                Some("n") => {
                    let Some(value) = rest.next() else {
                        return Self::Refused(
                            "Value must be supplied for option -n.\r\n".to_owned(),
                        );
                    };
                    match value.parse::<u32>() {
                        Ok(value) if value > 0 => count = Some(u64::from(value)),
                        _ => {
                            return Self::Refused(
                                "Bad value for option -n, valid range is from 1 to 4294967295.\r\n"
                                    .to_owned(),
                            );
                        }
                    }
                }
                Some(_) => return Self::Refused(format!("Bad option {argument}.\r\n")),
                None if host.is_none() => host = Some(argument.clone()),
                None => return Self::Refused(format!("Bad parameter {argument}.\r\n")),
            }
        }
        match host {
            Some(host) => Self::New { host, count },
            None => Self::Refused("IP address must be specified.\r\n".to_owned()),
        }
    }

    pub(super) fn step(&mut self, context: &mut Context<'_, '_>) -> Next {
        match self {
            Self::Refused(text) => {
                context.print(text);
                Next::Exit(1)
            }
            Self::New { host, count } => {
                if !is_here(host, context.computer) {
                    context.print(&format!(
                        "Ping request could not find host {host}. Please check the name and try again.\r\n"
                    ));
                    return Next::Exit(1);
                }
                let shown = if host.parse::<Ipv4Addr>().is_ok() {
                    host.clone()
                } else {
                    format!("{host} [{LOOPBACK}]")
                };
                let count = *count;
                *self = Self::Sending { count, sent: 0 };
                context.print(&format!("\r\nPinging {shown} with 32 bytes of data:\r\n"));
                self.reply(context)
            }
            Self::Sending { .. } => self.reply(context),
        }
    }

    fn reply(&mut self, context: &mut Context<'_, '_>) -> Next {
        let Self::Sending { count, sent } = self else {
            return Next::Exit(1);
        };
        *sent += 1;
        context.print(&format!(
            "Reply from {LOOPBACK}: bytes=32 time<1ms TTL=128\r\n"
        ));
        if count.is_none_or(|count| *sent < count) {
            return Next::After(TICKS_PER_SECOND);
        }
        context.print(&format!(
            "\r\nPing statistics for {LOOPBACK}:\r\n    Packets: Sent = {sent}, Received = {sent}, Lost = 0 (0% loss),\r\n\
             Approximate round trip times in milli-seconds:\r\n    Minimum = 0ms, Maximum = 0ms, Average = 0ms\r\n"
        ));
        Next::Exit(0)
    }
}

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn is_here(host: &str, computer: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.eq_ignore_ascii_case(computer)
        || host.parse() == Ok(LOOPBACK)
}
