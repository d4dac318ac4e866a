//! The life of one container on simulated hosts.

#[cfg(test)]
mod exec;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod life;
#[cfg(test)]
mod names;
#[cfg(test)]
mod patient;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod stdio;
#[cfg(test)]
mod support;
