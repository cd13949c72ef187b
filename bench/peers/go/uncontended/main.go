// One goroutine locks and unlocks a sync.Mutex that nobody else wants; the median of several repetitions.
package main

import (
	"flag"
	"runtime"
	"sort"
	"sync"
	"time"

	"mortise.example/bench/peers/process"
)

type record struct {
	Bench       string  `json:"bench"`
	Ns          float64 `json:"ns"`
	MinNs       float64 `json:"min_ns"`
	MaxNs       float64 `json:"max_ns"`
	Iterations  int     `json:"iterations"`
	Repetitions int     `json:"repetitions"`
	Go          string  `json:"go"`
}

func main() {
	iterations := flag.Int("iterations", 5000000, "lock+unlock pairs in a repetition")
	repetitions := flag.Int("repetitions", 7, "repetitions, of which the median is reported")
	flag.Parse()
	if *iterations < 1 || *repetitions < 1 || flag.NArg() > 0 {
		process.Fail("-iterations and -repetitions are 1 or more, nothing else is taken")
	}

	var mutex sync.Mutex
	counter := 0
	times := make([]float64, *repetitions)
	for r := range times {
		begin := time.Now()
		for i := 0; i < *iterations; i++ {
			mutex.Lock()
			counter++
			mutex.Unlock()
		}
		times[r] = float64(time.Since(begin).Nanoseconds()) / float64(*iterations)
	}
	if counter != *iterations**repetitions {
		process.Fail("the counter does not add up")
	}
	sort.Float64s(times)
	process.Report(record{
		Bench: "uncontended/go/kind:goroutine",
		Ns:    times[len(times)/2], MinNs: times[0], MaxNs: times[len(times)-1],
		Iterations: *iterations, Repetitions: *repetitions, Go: runtime.Version(),
	})
}
