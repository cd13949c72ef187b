//! Durations by log-linear buckets: 64 to each power of two, so that a percentile is right to 1.6 %. One party's own; they
//! are added up when all have ended.

use crate::line::Line;

#[derive(Clone)]
pub struct Durations {
    counts: Vec<u64>,
    total: u64,
    longest: u64,
}

const BITS: u32 = 6;
const PER_POWER: u64 = 1 << BITS;

fn bucket_of(n: u64) -> usize {
    if n < PER_POWER {
        return n as usize;
    }
    let power = (63 - n.leading_zeros() - BITS) as u64; // n >> power is in 64..127
    ((power + 1) * PER_POWER + (n >> power) - PER_POWER) as usize
}

/// The longest duration of a bucket.
fn top_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < PER_POWER {
        return bucket;
    }
    let power = bucket / PER_POWER - 1;
    ((bucket % PER_POWER + PER_POWER + 1) << power) - 1
}

impl Default for Durations {
    fn default() -> Self {
        Self::new()
    }
}

impl Durations {
    /// With room for ten seconds, so that nobody allocates in the middle of a measurement.
    pub fn new() -> Durations {
        Durations { counts: vec![0; bucket_of(10_000_000_000) + 1], total: 0, longest: 0 }
    }

    pub fn record(&mut self, ns: u64) {
        self.record_weighted(ns, 1)
    }

    pub fn record_weighted(&mut self, ns: u64, weight: u64) {
        let bucket = bucket_of(ns);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += weight;
        self.total += weight;
        self.longest = self.longest.max(ns);
    }

    pub fn add(&mut self, other: &Durations) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            *own += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// The smallest duration that at least this share of all do not exceed; 0 when there is none.
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = (share * self.total as f64).max(1.0);
        let mut seen = 0.0;
        for (bucket, n) in self.counts.iter().enumerate() {
            seen += *n as f64;
            if seen >= rank {
                return top_of(bucket).min(self.longest);
            }
        }
        self.longest
    }

    /// Half of the time of all of them together is in durations no longer than this.
    pub fn half_of_time(&self) -> u64 {
        let time_in = |(bucket, n): (usize, &u64)| *n as f64 * top_of(bucket) as f64;
        let all: f64 = self.counts.iter().enumerate().map(time_in).sum();
        let mut seen = 0.0;
        for (bucket, n) in self.counts.iter().enumerate() {
            seen += time_in((bucket, n));
            if seen >= all / 2.0 {
                return top_of(bucket).min(self.longest);
            }
        }
        self.longest
    }

    pub fn longest(&self) -> u64 {
        self.longest
    }
    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn add_waits_to(&self, line: &mut Line) {
        line.add("wait_p50_ns", self.quantile(0.5))
            .add("wait_p99_ns", self.quantile(0.99))
            .add("wait_p999_ns", self.quantile(0.999))
            .add("wait_max_ns", self.longest)
            .add("wait_half_ns", self.half_of_time())
            .add("waits_timed", self.total);
    }

    pub fn add_lateness_to(&self, line: &mut Line) {
        line.add("lateness_p50_ns", self.quantile(0.5))
            .add("lateness_p99_ns", self.quantile(0.99))
            .add("lateness_max_ns", self.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The bug: a percentile off by a bucket, or one that grows past the longest.
    #[test]
    fn quantiles_are_right_to_two_percent() {
        let mut d = Durations::new();
        for n in 1..=100_000 {
            d.record(n * 1_000);
        }
        for (share, exact) in [(0.5, 50e6), (0.99, 99e6), (0.999, 99.9e6)] {
            let got = d.quantile(share) as f64;
            assert!(got >= exact && got <= exact * 1.02, "{share}: {got}, not {exact}");
        }
        assert_eq!(d.quantile(1.0), 100_000_000);
        let half = d.half_of_time() as f64;
        assert!((70.7e6..70.8e6 * 1.02).contains(&half), "{half}");
        assert_eq!(Durations::new().quantile(0.5), 0);
    }
}
