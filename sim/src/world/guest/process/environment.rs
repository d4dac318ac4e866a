//! The environment of a process.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

/// Environment variables, by upcased name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Environment(BTreeMap<Arc<str>, (Arc<str>, Arc<str>)>);

impl Environment {
    /// What every process of a container has.
    pub(super) fn of_container(computer: &str, processors: u32) -> Self {
        static COMMON: LazyLock<Environment> = LazyLock::new(Environment::common);
        let mut environment = COMMON.clone();
        environment.set("COMPUTERNAME", computer);
        environment.set("NUMBER_OF_PROCESSORS", &processors.to_string());
        environment
    }

    fn common() -> Self {
        let mut environment = Self::default();
        for (name, value) in [
            ("ALLUSERSPROFILE", r"C:\ProgramData"),
            ("CommonProgramFiles", r"C:\Program Files\Common Files"),
            ("ComSpec", r"C:\Windows\system32\cmd.exe"),
            ("OS", "Windows_NT"),
            ("Path", r"C:\Windows\system32;C:\Windows"),
            ("PATHEXT", ".COM;.EXE;.BAT;.CMD"),
            ("PROCESSOR_ARCHITECTURE", "AMD64"),
            ("ProgramData", r"C:\ProgramData"),
            ("ProgramFiles", r"C:\Program Files"),
            ("PROMPT", "$P$G"),
            ("PUBLIC", r"C:\Users\Public"),
            ("SystemDrive", "C:"),
            ("SystemRoot", r"C:\Windows"),
            ("TEMP", r"C:\Windows\TEMP"),
            ("TMP", r"C:\Windows\TEMP"),
            ("USERNAME", "SYSTEM"),
            ("windir", r"C:\Windows"),
        ] {
            environment.set(name, value);
        }
        environment
    }

    /// The value of a variable, whatever the case of its name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name.to_uppercase().as_str())
            .map(|(_, value)| &**value)
    }

    /// Sets a variable; an empty value removes it.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let key: Arc<str> = name.to_uppercase().into();
        if value.is_empty() {
            self.0.remove(&key);
        } else {
            let spelled = self
                .0
                .remove(&key)
                .map_or_else(|| name.into(), |(old, _)| old);
            self.0.insert(key, (spelled, value.into()));
        }
    }

    /// The variables whose names begin like this, in order.
    pub(crate) fn starting_with(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let prefix = prefix.to_uppercase();
        self.0
            .iter()
            .filter(move |(key, _)| key.starts_with(prefix.as_str()))
            .map(|(_, (name, value))| (&**name, &**value))
    }

    /// All of them.
    pub(crate) fn pairs(&self) -> BTreeMap<String, String> {
        let pairs = self.0.values();
        pairs
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    }
}
