//! What a Windows file tree is, as a stream of entries and contents, with a disk source and sink
#![forbid(unsafe_code)]
