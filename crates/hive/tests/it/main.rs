//! Tests of the hive reader and builder. Hives of other programs are read by `examples/judge.rs`.

#[cfg(test)]
mod build;
#[cfg(test)]
mod corrupt;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod read;
#[cfg(test)]
mod support;
