//! Tokio's tasks as parties, on its own asynchronous locks; for the seed's program also on std::sync::Mutex, which its
//! documentation advises for sections as short as these (kind task_std).

mod burst;
mod condition;
mod contended;
mod read_mostly;
mod runtime;
mod seed;
mod sleep;
mod storm;
mod tasks;

use harness::contender::Contender;

fn main() {
    contender().main()
}

fn contender() -> Contender {
    Contender {
        name: "tokio",
        version: env!("TOKIO_VERSION"),
        offers: vec![
            ("uncontended", "task", contended::uncontended),
            ("contended", "task", contended::contended),
            ("hog", "task", contended::hog),
            ("burst", "task", burst::burst),
            ("seed", "task", seed::seed::<tokio::sync::Mutex<seed::Guarded>>),
            ("seed", "task_std", seed::seed::<std::sync::Mutex<seed::Guarded>>),
            ("switch", "task", tasks::switching),
            ("spawn", "task", tasks::spawning),
            ("timer", "task", sleep::timing),
            ("sleep", "task", sleep::sleeping),
            ("footprint", "task", sleep::footprint),
            ("rw_uncontended", "task", read_mostly::rw_uncontended),
            ("read_mostly", "task", read_mostly::read_mostly),
            ("condition", "task", condition::condition),
            ("try_for", "task", storm::try_for),
            ("timeout_storm", "task", storm::timeout_storm),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::contender;
    use harness::Trouble;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_string).collect()
    }

    // The bug: a workload whose line lacks a figure is refused only in the middle of a run of minutes.
    #[test]
    fn every_workload_gives_its_figures() {
        let contended = "ops duration_ns ops_per_s share wait_p50_ns wait_p99_ns wait_p999_ns wait_max_ns wait_half_ns \
                         cpu_ns stall_p999_ns stall_max_ns";
        let seed = "ops duration_ns ops_per_s cpu_ns rss_peak_bytes lateness_p50_ns lateness_p99_ns lateness_max_ns";
        for (asked, figures) in [
            ("uncontended iterations:20000", "ns mean_ns"),
            ("contended parties:3 workers:2 held_ns:20 gap_ns:200 for_ms:20", contended),
            ("contended parties:1 workers:1 for_ms:20", contended),
            ("hog parties:3 workers:2 hog_ns:10000 for_ms:20", contended),
            ("burst parties:3 workers:2 for_ms:20", "ns p99_ns max_ns ops stall_p999_ns"),
            ("seed kind:task readers:10 writers:2 workers:2 for_ms:50", seed),
            ("seed kind:task_std readers:10 writers:2 workers:1 for_ms:50", seed),
            ("switch parties:2 for_ms:20", "ns ops share"),
            ("spawn batch:10 workers:2 for_ms:20", "ns ops cpu_ns"),
            ("timer tasks:100 workers:2 for_ms:60", "ns ops cpu_ns lateness_p50_ns"),
            ("sleep samples:5", "p50_ns p99_ns max_ns cpu_ns duration_ns stall_p999_ns"),
            ("rw_uncontended iterations:20000", "ns mean_ns"),
            ("read_mostly parties:3 reads:90 workers:2 for_ms:20", contended),
            ("condition waiters:10 random:1 workers:2 for_ms:20", "ops duration_ns ops_per_s cpu_ns"),
            ("try_for iterations:40000", "ns lock_ns lock_ratio"),
            ("timeout_storm parties:10 for_ms:40", "p99_ratio p99_ns calm_p99_ns last_unlock_ns ops lateness_p99_ns"),
            ("footprint tasks:1000", "bytes_per_task page_table_bytes_per_task rss_bytes"),
        ] {
            let line = contender().answer(&words(asked)).unwrap();
            for figure in figures.split_whitespace() {
                assert!(line.contains(&format!("\"{figure}\": ")), "no {figure} in {line}");
            }
            assert!(!line.contains("\"ops\": 0,"), "{line}");
        }
    }

    // The bug: a mistyped key is ignored, and something else is measured than was asked for.
    #[test]
    fn bad_words_are_refused() {
        for bad in ["contended kind:thread", "contended workers:0", "seed readers:0 writers:0", "spawn parties:2"] {
            assert!(matches!(contender().answer(&words(bad)), Err(Trouble::Usage(_))), "{bad}");
        }
    }
}
