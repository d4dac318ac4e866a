//! The environment of a process.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Environment variables, by upcased name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Environment(BTreeMap<String, (String, String)>);

impl Environment {
    /// What every process of a container has.
    pub(super) fn of_container(computer: &str, processors: u32) -> Self {
        let mut environment = Self::default();
        let processors = processors.to_string();
        for (name, value) in [
            ("ALLUSERSPROFILE", r"C:\ProgramData"),
            ("CommonProgramFiles", r"C:\Program Files\Common Files"),
            ("COMPUTERNAME", computer),
            ("ComSpec", r"C:\Windows\system32\cmd.exe"),
            ("NUMBER_OF_PROCESSORS", &processors),
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
            .get(&name.to_uppercase())
            .map(|(_, value)| value.as_str())
    }

    /// Sets a variable; an empty value removes it.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let key = name.to_uppercase();
        if value.is_empty() {
            self.0.remove(&key);
        } else {
            let spelled = self
                .0
                .remove(&key)
                .map_or_else(|| name.to_owned(), |(old, _)| old);
            self.0.insert(key, (spelled, value.to_owned()));
        }
    }

    /// The variables whose names begin like this, in order.
    pub(crate) fn starting_with(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let prefix = prefix.to_uppercase();
        self.0
            .iter()
            .filter(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, (name, value))| (name.as_str(), value.as_str()))
    }

    /// All of them.
    pub(crate) fn pairs(&self) -> BTreeMap<String, String> {
        self.0.values().cloned().collect()
    }
}
