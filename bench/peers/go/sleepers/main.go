// Resident bytes of a sleeping goroutine: RSS once all are asleep, minus RSS before the first, divided by their number.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"mortise.example/bench/peers/process"
)

type record struct {
	Bench             string  `json:"bench"`
	Tasks             int     `json:"tasks"`
	BytesPerTask      float64 `json:"bytes_per_task"`
	PageTablesPerTask float64 `json:"page_table_bytes_per_task"`
	RSSBytes          int64   `json:"rss_bytes"`
	StartNs           int64   `json:"start_ns"`
	Gomaxprocs        int     `json:"gomaxprocs"`
	Go                string  `json:"go"`
}

func main() {
	tasks := flag.Int("tasks", 1000000, "goroutines that sleep")
	flag.Parse()
	if *tasks < 1 || flag.NArg() > 0 {
		process.Fail("-tasks is 1 or more, nothing else is taken")
	}

	var started int64
	before := process.ReadMemory()
	begin := time.Now()
	for i := 0; i < *tasks; i++ {
		go func() {
			atomic.AddInt64(&started, 1)
			time.Sleep(time.Hour)
		}()
	}
	for atomic.LoadInt64(&started) < int64(*tasks) {
		time.Sleep(time.Millisecond)
	}
	start := time.Since(begin)
	if err := process.Settle(); err != nil {
		process.Fail(err)
	}

	after := process.ReadMemory()
	perTask := func(bytes int64) float64 { return float64(bytes) / float64(*tasks) }
	process.Report(record{
		Bench: fmt.Sprintf("footprint/go/tasks:%d", *tasks),
		Tasks: *tasks, BytesPerTask: perTask(after.Resident - before.Resident),
		PageTablesPerTask: perTask(after.PageTables - before.PageTables),
		RSSBytes:          after.Resident, StartNs: start.Nanoseconds(),
		Gomaxprocs: runtime.GOMAXPROCS(0), Go: runtime.Version(),
	})
}
