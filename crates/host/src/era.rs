//! What differs between Windows generations.
