//! Runs from seeds, and what they find.

#[cfg(test)]
mod seeds;
