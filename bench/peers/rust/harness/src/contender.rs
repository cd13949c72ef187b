//! A contender program: workloads by name and kind, each run once a process.
//!
//!     contender-X --list                    {"contender": ..., "workloads": {"contended": ["thread"]}}
//!     contender-X WORKLOAD key:value ...    one JSON line, the result of one sample
//!
//! Exit: 0 measured, 1 what was measured does not add up or could not be had (one line on stderr), 2 bad usage.

use crate::{keys::Keys, line::Line, usage, Outcome, Trouble};

/// Reads its keys, measures and adds its figures; an error if the result does not validate.
pub type Workload = fn(&mut Keys, &mut Line) -> Outcome<()>;

pub struct Contender {
    pub name: &'static str,
    pub version: &'static str,
    /// Workload, kind, what runs it; those of one workload stand together.
    pub offers: Vec<(&'static str, &'static str, Workload)>,
}

impl Contender {
    pub fn main(&self) -> ! {
        let words: Vec<String> = std::env::args().skip(1).collect();
        match self.answer(&words) {
            Ok(line) => {
                println!("{line}");
                std::process::exit(0)
            }
            Err(trouble) => {
                eprintln!("contender-{}: {}", self.name, trouble.text());
                std::process::exit(if matches!(trouble, Trouble::Usage(_)) { 2 } else { 1 })
            }
        }
    }

    /// The one line for these words.
    pub fn answer(&self, words: &[String]) -> Outcome<String> {
        let Some(workload) = words.first() else {
            return usage("names no workload; see --list");
        };
        if workload == "--list" {
            return Ok(self.list());
        }
        let mut keys = Keys::read(&words[1..])?;
        let (kind, run) = self.choose(workload, &mut keys)?;
        let mut line = Line::new(&self.name_of(workload, kind, &words[1..]));
        run(&mut keys, &mut line)?;
        Ok(line.text())
    }

    fn choose(&self, workload: &str, keys: &mut Keys) -> Outcome<(&'static str, Workload)> {
        let kind = keys.word("kind", "");
        let offers: Vec<_> = self.offers.iter().filter(|(name, _, _)| *name == workload).collect();
        if offers.is_empty() {
            return usage(format!("{workload}: no such workload here"));
        }
        match offers.iter().find(|(_, k, _)| kind.is_empty() || *k == kind) {
            Some((_, k, run)) => Ok((k, *run)),
            None => {
                let kinds: Vec<_> = offers.iter().map(|(_, k, _)| *k).collect();
                usage(format!("kind: {kind} is none of {}", kinds.join("|")))
            }
        }
    }

    /// What says how long or how often it was measured is no part of what was.
    fn name_of(&self, workload: &str, kind: &str, words: &[String]) -> String {
        let effort = ["kind", "for_ms", "seed", "iterations", "samples"];
        let mut name = format!("{workload}/{}/kind:{kind}", self.name);
        for word in words.iter().filter(|w| !effort.contains(&w.split(':').next().unwrap_or(""))) {
            name += "/";
            name += word;
        }
        name
    }

    fn list(&self) -> String {
        let mut workloads: Vec<(&str, Vec<String>)> = Vec::new();
        for (workload, kind, _) in &self.offers {
            if workloads.last().map(|(name, _)| name) != Some(workload) {
                workloads.push((workload, Vec::new()));
            }
            workloads.last_mut().unwrap().1.push(format!("\"{kind}\""));
        }
        let all: Vec<_> = workloads.iter().map(|(name, kinds)| format!("\"{name}\": [{}]", kinds.join(", "))).collect();
        format!(
            r#"{{"contender": "{}", "version": "{}", "language": "Rust", "workloads": {{{}}}}}"#,
            self.name,
            self.version,
            all.join(", ")
        )
    }
}
