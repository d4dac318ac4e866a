//! The engine on simulated hosts.

#[cfg(test)]
mod containers;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod support;
