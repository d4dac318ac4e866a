//! Where we differ from wimlib and 7-Zip on purpose, each with its reason.

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// The verdict of `verify`.
    Verdict,
    /// The paths that `ls -R` lists.
    Paths,
    /// All metadata.
    Metadata,
    /// The extracted tree.
    Extracted,
    /// What `cat` writes.
    Contents,
    /// The verdict of 7-Zip.
    SevenZip,
    /// The SHA-1 of all streams that 7-Zip lists.
    SevenZipStreams,
}

/// A deliberate difference: a file of the corpus by its end, the aspects, the reason.
pub(crate) struct Difference {
    /// How the file's path ends.
    pub(crate) file: &'static str,
    /// What differs, or is not compared.
    pub(crate) aspects: &'static [Aspect],
    /// Why.
    pub(crate) reason: &'static str,
}

/// The whole list.
pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        file: "hostile/dag-18x2.wim",
        aspects: &[
            Aspect::Verdict,
            Aspect::Paths,
            Aspect::Metadata,
            Aspect::Extracted,
            Aspect::Contents,
        ],
        reason: "directories share a list of children: wimlib lists 2^18 paths of a file of 5 KB, we visit every list once",
    },
    Difference {
        file: "hostile/dag-22x2.wim",
        aspects: &[
            Aspect::Verdict,
            Aspect::Paths,
            Aspect::Metadata,
            Aspect::Extracted,
            Aspect::Contents,
        ],
        reason: "as dag-18x2.wim, with 2^22 paths",
    },
    Difference {
        file: "hostile/dots.wim",
        aspects: &[Aspect::SevenZipStreams],
        reason: "entries named `.` and `..`: 7-Zip lists them, we leave them out, as wimlib does",
    },
    Difference {
        file: "wimlib/dotdot.wim",
        aspects: &[Aspect::SevenZip],
        reason: "an entry named `..`: 7-Zip refuses the file, we leave the entry out, as wimlib does",
    },
    Difference {
        file: "wimlib/duplicate_names.wim",
        aspects: &[Aspect::SevenZip],
        reason: "two entries of one name: 7-Zip refuses the file, we keep the first, as wimlib does",
    },
];

/// The reason why an aspect of a file differs, if it does so on purpose.
pub(crate) fn reason(file: &str, aspect: Aspect) -> Option<&'static str> {
    DIFFERENCES
        .iter()
        .find(|row| file.ends_with(row.file) && row.aspects.contains(&aspect))
        .map(|row| row.reason)
}
