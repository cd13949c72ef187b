//! One result: a JSON object on a line of its own, beginning with the name of what was measured.

use std::fmt::Display;

pub struct Line(String);

impl Line {
    pub fn new(name: &str) -> Line {
        Line(format!(r#"{{"bench": "{name}""#))
    }
    pub fn add(&mut self, key: &str, value: impl Display) -> &mut Line {
        self.0 += &format!(r#", "{key}": {value}"#);
        self
    }
    pub fn text(&self) -> String {
        format!("{}}}", self.0)
    }
}
