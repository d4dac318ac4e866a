//! Runs from seeds: what they keep, find, and make of what they find.

#[cfg(test)]
mod care;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fingerprints;
#[cfg(test)]
mod model;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod small;
#[cfg(test)]
mod strategies;
