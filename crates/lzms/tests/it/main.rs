//! Tests of the LZMS decoder, against an encoder that lives here.
mod corpus;
mod wim;
