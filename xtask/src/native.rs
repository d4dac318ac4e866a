//! The rule that the default build compiles no C: whoever has a Rust toolchain has all that `cargo test --workspace` needs.
//!
//! C comes in through a few crates that build scripts use. None of them may be in what Cargo would build of the workspace with
//! its default features: normal, build and development dependencies, for every target. What wants C anyway stands behind a feature:
//! `fuzzer` of `wcow-fuzz`, `criterion` and `wimlib` of `wcow-benches`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::{Workspace, text_of};

/// Crates that start a compiler of another language, or want one.
const COMPILES: &[&str] = &["cc", "cmake", "bindgen", "autotools", "nasm-rs"];

/// Crates that bring a library of another language along.
const BRINGS: &[&str] = &["alloca", "openssl-src", "libfuzzer-sys", "wimlib-sys"];

/// Lists every such crate with who uses it.
pub(crate) fn check(workspace: &Workspace, breaches: &mut Vec<String>) -> Result<()> {
    let text = text_of(
        workspace
            .cargo()
            .args(["metadata", "--format-version=1", "--locked"]),
    )?;
    let metadata = serde_json::from_str(&text).context("cargo metadata gave no JSON")?;
    breaches.extend(found(&metadata)?);
    Ok(())
}

fn found(metadata: &Value) -> Result<Vec<String>> {
    let array = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .with_context(|| format!("cargo metadata has no `{key}`"))
    };
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .with_context(|| format!("cargo metadata has an entry without `{key}`"))
    };
    let mut names = BTreeMap::new();
    for package in array(metadata, "packages")? {
        names.insert(text(&package, "id")?, text(&package, "name")?);
    }
    let resolve = metadata
        .get("resolve")
        .context("cargo metadata has no `resolve`")?;
    let mut breaches = Vec::new();
    for node in array(resolve, "nodes")? {
        let user = text(&node, "id")?;
        for used in array(&node, "dependencies")? {
            let name = used.as_str().and_then(|id| names.get(id));
            if let Some(name) = name
                && (COMPILES.contains(&name.as_str()) || BRINGS.contains(&name.as_str()))
            {
                breaches.push(format!(
                    "{}: uses {name}, which wants a C compiler; the default build has none (put it behind a feature)",
                    names.get(&user).unwrap_or(&user)
                ));
            }
        }
    }
    Ok(breaches)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::found;

    #[track_caller]
    fn check(uses: &[&str], breaches: &[&str]) {
        let ids: Vec<String> = uses.iter().map(|name| format!("id {name}")).collect();
        let mut packages = vec![json!({"id": "id ours", "name": "ours"})];
        packages.extend(
            uses.iter()
                .zip(&ids)
                .map(|(name, id)| json!({"id": id, "name": name})),
        );
        let nodes = [json!({"id": "id ours", "dependencies": ids})];
        let metadata = json!({"packages": packages, "resolve": {"nodes": nodes}});
        let seen = found(&metadata).expect("complete metadata");
        assert_eq!(seen.len(), breaches.len(), "{seen:?}");
        for (line, name) in seen.iter().zip(breaches) {
            assert!(line.starts_with(&format!("ours: uses {name},")), "{line}");
        }
    }

    #[test]
    fn what_brings_c_is_named_with_its_user() {
        check(&["serde", "libc"], &[]);
        check(&["serde", "cc"], &["cc"]);
        check(&["alloca", "cmake"], &["alloca", "cmake"]);
    }
}
