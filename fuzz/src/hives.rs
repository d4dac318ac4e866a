//! Registry hives.

use wcow_hive::{Hive, HiveError, Key, Limits, Summary, verify};

/// Keys and values that a walk visits at most, where the hive was not verified: a damaged one can contain itself.
const BUDGET: u64 = 1 << 14;

/// Bytes of value data and class names that are read at most in such a walk.
const DATA_BUDGET: usize = 1 << 22;

/// A registry hive.
///
/// # Panics
/// If a hive that `verify` accepts cannot be walked, or holds other numbers of keys and values than `verify` counted.
pub fn hive(data: &[u8]) {
    let Ok(hive) = Hive::parse(data) else { return };
    let verdict = verify(&hive, Limits::default());
    match &verdict {
        Ok(summary) => {
            let walk = walk(&hive, u64::MAX, usize::MAX);
            check_counts(&walk, summary);
        }
        Err(_) => {
            let walk = walk(&hive, BUDGET, DATA_BUDGET);
            assert!(walk.keys <= BUDGET + 1, "the walk outran its budget");
        }
    }
    assert_eq!(
        verify(&hive, Limits::default()).ok(),
        verdict.ok(),
        "two verdicts differ"
    );
    // Look-ups by name take another path than the walk.
    let _ = hive.open(r"ControlSet001\Control\Session Manager");
    let _ = hive.open("microsoft");
}

fn check_counts(walk: &Walk, summary: &Summary) {
    let first = walk.errors.first();
    assert!(
        first.is_none(),
        "verify accepts the hive, the walk does not: {}",
        first.map(ToString::to_string).unwrap_or_default()
    );
    assert_eq!(
        (walk.keys, walk.values),
        (summary.keys, summary.values),
        "walk and verify count differently"
    );
}

#[derive(Default)]
struct Walk {
    keys: u64,
    values: u64,
    data: usize,
    errors: Vec<HiveError>,
}

fn walk(hive: &Hive<'_>, budget: u64, data_budget: usize) -> Walk {
    let mut walk = Walk::default();
    let mut waiting: Vec<Key<'_>> = Vec::new();
    waiting.extend(walk.keep(hive.root()));
    while let Some(key) = waiting.pop() {
        walk.keys += 1;
        let class = key.class_name();
        walk.keep(class);
        let security = key.security();
        walk.keep(security);
        for value in key.values() {
            let Some(value) = walk.keep(value) else {
                continue;
            };
            walk.values += 1;
            if walk.keys + walk.values > budget || walk.data > data_budget {
                return walk;
            }
            let data = value.data();
            walk.data = walk
                .data
                .saturating_add(walk.keep(data).map_or(0, |data| data.len()));
            let text = value.as_string();
            walk.keep(text);
        }
        for subkey in key.subkeys() {
            waiting.extend(walk.keep(subkey));
            if walk.keys + u64::try_from(waiting.len()).unwrap_or(u64::MAX) > budget {
                return walk;
            }
        }
    }
    walk
}

impl Walk {
    fn keep<T>(&mut self, result: Result<T, HiveError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            // The first few tell enough.
            Err(error) if self.errors.len() < 8 => {
                self.errors.push(error);
                None
            }
            Err(_) => None,
        }
    }
}
