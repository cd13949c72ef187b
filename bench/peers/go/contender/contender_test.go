package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// What a result must hold, as in the sample check of `mortise bench`.
var figures = map[string]string{
	"uncontended":    "ns mean_ns",
	"rw_uncontended": "ns mean_ns",
	"read_mostly":    contendedFigures + " reads_per_s writes_per_s",
	"condition":      "ops duration_ns ops_per_s cpu_ns",
	"contended":      contendedFigures,
	"hog":            contendedFigures + " hog_ops",
	"burst":          "ns p99_ns max_ns ops cpu_ns stall_p999_ns stall_max_ns",
	"seed":           "ops duration_ns ops_per_s cpu_ns rss_peak_bytes lateness_p50_ns lateness_p99_ns lateness_max_ns",
	"switch":         "ns ops",
	"spawn":          "ns ops cpu_ns",
	"timer":          "ns ops cpu_ns lateness_p50_ns",
	"sleep":          "p50_ns p99_ns max_ns cpu_ns duration_ns stall_p999_ns",
	"footprint":      "bytes_per_task page_table_bytes_per_task rss_bytes",
}

const contendedFigures = "ops duration_ns ops_per_s share wait_p50_ns wait_p99_ns wait_p999_ns wait_max_ns wait_half_ns cpu_ns " +
	"stall_p999_ns stall_max_ns"

var short = map[string]string{
	"uncontended":    "iterations:20000",
	"rw_uncontended": "iterations:20000",
	"read_mostly":    "parties:3 workers:2 reads:90 for_ms:20",
	"condition":      "waiters:10 random:1 workers:2 for_ms:20",
	"contended":      "parties:3 workers:2 held_ns:20 gap_ns:200 for_ms:20",
	"hog":            "parties:3 workers:2 hog_ns:10000 for_ms:20",
	"burst":          "parties:3 workers:2 for_ms:20",
	"seed":           "readers:10 writers:2 workers:2 for_ms:50",
	"switch":         "parties:2 for_ms:20",
	"spawn":          "batch:10 workers:2 for_ms:20",
	"timer":          "tasks:100 workers:2 for_ms:60",
	"sleep":          "samples:5",
	"footprint":      "tasks:1000",
}

// The bug: a workload whose line lacks a figure is refused only in the middle of a run of minutes.
func TestEveryWorkloadGivesItsFigures(t *testing.T) {
	for _, name := range workloadNames() {
		line, err := answer(append([]string{name}, strings.Fields(short[name])...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, figure := range strings.Fields(figures[name]) {
			if _, ok := got[figure].(float64); !ok {
				t.Errorf("%s: no figure %s in %s", name, figure, line)
			}
		}
		if ops, ok := got["ops"].(float64); ok && ops <= 0 {
			t.Errorf("%s: ops is %v", name, ops)
		}
	}
}

// The bug: effort gets into the name, and samples of one cell no longer belong together.
func TestNameHoldsWhatIsMeasuredAndNotForHowLong(t *testing.T) {
	got := benchName("contended", strings.Fields("kind:goroutine parties:8 held_ns:20 for_ms:500 seed:3"))
	if want := "contended/go/kind:goroutine/parties:8/held_ns:20"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

// The bug: a mistyped key is ignored, and something else is measured than was asked for.
func TestBadWordsAreUsageErrors(t *testing.T) {
	for _, words := range []string{"", "dance", "contended kind:thread", "contended partys:3", "contended parties:0",
		"contended parties:x", "contended parties", "contended parties:2 parties:2", "seed readers:0 writers:0"} {
		line, err := answer(strings.Fields(words))
		if _, ok := err.(usageError); !ok {
			t.Errorf("%q: %q, %v", words, line, err)
		}
	}
}

// The control: a run in which the lock did not hold is found.
func TestLostIncrementsAreFound(t *testing.T) {
	parties := make([]party, 2)
	parties[0].ops, parties[1].ops = 3, 4
	if err := requireSum(parties, 7); err != nil {
		t.Error(err)
	}
	if requireSum(parties, 6) == nil {
		t.Error("a lost increment was not found")
	}
	r := readMostly{parties: make([]party, 1), results: make([]readMostlyResult, 1)}
	r.results[0].writes = 1
	r.value = [8]uint64{1, 1, 1, 1, 1, 1, 1, 1}
	if _, _, err := r.check(); err != nil {
		t.Error(err)
	}
	r.value[7] = 0
	if _, _, err := r.check(); err == nil {
		t.Error("a lost write was not found")
	}
	s := seedProgram{state: map[int]int{1: 99}, sections: 2, readOps: 1, writeOps: 1}
	if err := s.check(); err != nil {
		t.Error(err)
	}
	s.sections = 1
	if s.check() == nil {
		t.Error("a lost section was not found")
	}
	s.sections, s.state[1] = 2, 100
	if s.check() == nil {
		t.Error("a value that nobody wrote was not found")
	}
}

// The bug: a percentile off by a bucket, or one that grows past the longest.
func TestQuantilesAreRightToTwoPercent(t *testing.T) {
	d := newDurations()
	for n := int64(1); n <= 100_000; n++ {
		d.record(n*1_000, 1)
	}
	for share, exact := range map[float64]float64{0.5: 50e6, 0.99: 99e6, 0.999: 99.9e6} {
		if got := float64(d.quantile(share)); got < exact || got > exact*1.02 {
			t.Errorf("quantile %v is %v, not %v", share, got, exact)
		}
	}
	if got := float64(d.halfOfTime()); got < 70.7e6 || got > 70.8e6*1.02 {
		t.Errorf("half of the time is in durations up to %v", got)
	}
	if d.quantile(1) != 100_000_000 {
		t.Errorf("the longest is %d", d.quantile(1))
	}
}
