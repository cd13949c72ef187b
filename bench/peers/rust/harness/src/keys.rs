//! The key:value words behind a workload's name, each checked against its range.

use crate::{usage, Outcome};
use std::collections::{BTreeMap, BTreeSet};

pub struct Keys {
    given: BTreeMap<String, String>,
    known: BTreeSet<String>,
}

impl Keys {
    pub fn read(words: &[String]) -> Outcome<Keys> {
        let mut given = BTreeMap::new();
        for word in words {
            let Some((key, value)) = word.split_once(':') else {
                return usage(format!("{word}: is not of the form key:value"));
            };
            if given.insert(key.to_string(), value.to_string()).is_some() {
                return usage(format!("{key}: given twice"));
            }
        }
        Ok(Keys { given, known: BTreeSet::new() })
    }

    pub fn word(&mut self, key: &str, otherwise: &str) -> String {
        self.known.insert(key.to_string());
        self.given.get(key).cloned().unwrap_or_else(|| otherwise.to_string())
    }

    /// The value of `key` in least..=most, or `otherwise` if it was not given.
    pub fn number(&mut self, key: &str, otherwise: u64, least: u64, most: u64) -> Outcome<u64> {
        self.known.insert(key.to_string());
        let Some(text) = self.given.get(key) else {
            return Ok(otherwise);
        };
        match text.parse() {
            Ok(value) if (least..=most).contains(&value) => Ok(value),
            _ => usage(format!("{key}: {text} is not in {least}..{most}")),
        }
    }

    pub fn count(&mut self, key: &str, otherwise: usize, least: usize, most: usize) -> Outcome<usize> {
        Ok(self.number(key, otherwise as u64, least as u64, most as u64)? as usize)
    }

    /// Called when all keys have been asked for: an error if another one was given.
    pub fn no_others(&self) -> Outcome<()> {
        match self.given.keys().find(|key| !self.known.contains(*key)) {
            Some(key) => usage(format!("{key}: this workload has no such key")),
            None => Ok(()),
        }
    }
}
