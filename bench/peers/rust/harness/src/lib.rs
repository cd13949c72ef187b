//! What the contenders in Rust share: the words they answer to, the line they print, spins, stalls and histograms. The
//! workloads, their keys and their figures are those of the contenders in C++ (bench/workload/*.hpp).

pub mod contender;
pub mod durations;
pub mod keys;
pub mod line;
pub mod process;
pub mod read_mostly;
pub mod spin;
pub mod stalls;
pub mod threads;
pub mod window;

/// Why there is no result: exit 2 for a bad word, 1 for a result that does not add up.
#[derive(Debug, PartialEq)]
pub enum Trouble {
    Usage(String),
    Invalid(String),
}

impl Trouble {
    pub fn text(&self) -> &str {
        match self {
            Trouble::Usage(text) | Trouble::Invalid(text) => text,
        }
    }
}

pub type Outcome<T> = Result<T, Trouble>;

pub fn usage<T>(text: impl Into<String>) -> Outcome<T> {
    Err(Trouble::Usage(text.into()))
}

pub fn invalid<T>(text: impl Into<String>) -> Outcome<T> {
    Err(Trouble::Invalid(text.into()))
}
