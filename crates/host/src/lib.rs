//! The traits a Windows container host is seen through, its error codes, version rules and failure catalogue
#![forbid(unsafe_code)]
