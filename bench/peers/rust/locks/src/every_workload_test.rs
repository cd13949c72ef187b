#[cfg(test)]
mod every_workload {
    use super::contender;
    use harness::Trouble;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_string).collect()
    }

    // The bug: a workload whose line lacks a figure is refused only in the middle of a run of minutes.
    #[test]
    fn gives_its_figures() {
        let contended = "ops duration_ns ops_per_s share wait_p50_ns wait_p99_ns wait_p999_ns wait_max_ns wait_half_ns cpu_ns \
                         stall_p999_ns stall_max_ns";
        for (asked, figures) in [
            ("uncontended kind:thread iterations:20000", "ns mean_ns"),
            ("contended parties:3 held_ns:20 gap_ns:200 for_ms:20", contended),
            ("hog parties:3 hog_ns:10000 for_ms:20", contended),
            ("rw_uncontended iterations:20000", "ns mean_ns"),
            ("read_mostly parties:3 reads:90 for_ms:20", contended),
            ("burst parties:3 for_ms:20", "ns p99_ns max_ns ops stall_p999_ns stall_max_ns"),
        ] {
            let line = contender().answer(&words(asked)).unwrap();
            for figure in figures.split_whitespace() {
                assert!(line.contains(&format!("\"{figure}\": ")), "no {figure} in {line}");
            }
        }
    }

    // The bug: effort gets into the name, and samples of one cell no longer belong together.
    #[test]
    fn is_named_for_what_is_measured_and_not_for_how_long() {
        let line = contender().answer(&words("contended kind:thread parties:2 held_ns:20 for_ms:5 seed:3")).unwrap();
        assert!(line.contains("/kind:thread/parties:2/held_ns:20\""), "{line}");
    }

    // The bug: a mistyped key is ignored, and something else is measured than was asked for.
    #[test]
    fn refuses_bad_words() {
        for bad in ["", "dance", "contended kind:fiber", "contended partys:3", "contended parties:0", "contended parties:x",
                    "contended parties", "contended parties:2 parties:2", "hog parties:1"] {
            assert!(matches!(contender().answer(&words(bad)), Err(Trouble::Usage(_))), "{bad}");
        }
    }
}
