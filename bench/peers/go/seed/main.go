// The seed's program: readers and writers share one map behind one sync.Mutex and sleep between sections.
//
// The loops are the seed's own. What differs from it: sizes are flags, and only what happens while the clock runs is
// counted. The clock starts when every goroutine is in its loop, so that starting a million of them is not measured.
// Unlike `mortise run`, a section does not check that it is alone: Go is charged for nothing that its program lacks.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"mortise.example/bench/peers/process"
)

const (
	keys   = 5
	values = 100
)

type record struct {
	Bench      string  `json:"bench"`
	Readers    int     `json:"readers"`
	Writers    int     `json:"writers"`
	SleepNs    int64   `json:"sleep_ns"`
	DurationNs int64   `json:"duration_ns"`
	ReadOps    uint64  `json:"read_ops"`
	WriteOps   uint64  `json:"write_ops"`
	Ops        uint64  `json:"ops"`
	OpsPerS    float64 `json:"ops_per_s"`
	CPUNs      int64   `json:"cpu_ns"`
	RSSBytes   int64   `json:"rss_bytes"`
	RSSPeak    int64   `json:"rss_peak_bytes"`
	Gomaxprocs int     `json:"gomaxprocs"`
	Go         string  `json:"go"`
}

func main() {
	readers := flag.Int("readers", 100, "goroutines that read")
	writers := flag.Int("writers", 10, "goroutines that write")
	sleep := flag.Duration("sleep", time.Millisecond, "sleep between two sections of one goroutine")
	duration := flag.Duration("for", time.Second, "how long the clock runs")
	asJSON := flag.Bool("json", false, "one JSON line instead of the seed's three lines")
	flag.Parse()
	if *readers < 0 || *writers < 0 || *sleep < 0 || *duration <= 0 || flag.NArg() > 0 {
		process.Fail("-readers, -writers and -sleep are 0 or more, -for is more than 0, nothing else is taken")
	}

	var state = make(map[int]int)
	var mutex = &sync.Mutex{}
	var readOps, writeOps uint64
	var started int64

	for r := 0; r < *readers; r++ {
		go func() {
			atomic.AddInt64(&started, 1)
			total := 0
			for {
				key := rand.Intn(keys)
				mutex.Lock()
				total += state[key]
				mutex.Unlock()
				atomic.AddUint64(&readOps, 1)
				time.Sleep(*sleep)
			}
		}()
	}
	for w := 0; w < *writers; w++ {
		go func() {
			atomic.AddInt64(&started, 1)
			for {
				key := rand.Intn(keys)
				val := rand.Intn(values)
				mutex.Lock()
				state[key] = val
				mutex.Unlock()
				atomic.AddUint64(&writeOps, 1)
				time.Sleep(*sleep)
			}
		}()
	}
	for atomic.LoadInt64(&started) < int64(*readers+*writers) {
		time.Sleep(100 * time.Microsecond)
	}

	cpuBefore := process.CPUTime()
	readsBefore, writesBefore := atomic.LoadUint64(&readOps), atomic.LoadUint64(&writeOps)
	begin := time.Now()
	time.Sleep(*duration)
	reads, writes := atomic.LoadUint64(&readOps)-readsBefore, atomic.LoadUint64(&writeOps)-writesBefore
	elapsed := time.Since(begin)
	cpu := process.CPUTime() - cpuBefore
	memory := process.ReadMemory()

	mutex.Lock()
	for key, val := range state {
		if key < 0 || key >= keys || val < 0 || val >= values {
			process.Fail(fmt.Sprintf("the map holds %d:%d, which nobody wrote", key, val))
		}
	}
	if !*asJSON {
		fmt.Println("readOps:", reads)
		fmt.Println("writeOps:", writes)
		fmt.Println("state:", state)
		return
	}
	process.Report(record{
		Bench:   fmt.Sprintf("seed/go/procs:%d/readers:%d/writers:%d", runtime.GOMAXPROCS(0), *readers, *writers),
		Readers: *readers, Writers: *writers, SleepNs: sleep.Nanoseconds(), DurationNs: elapsed.Nanoseconds(),
		ReadOps: reads, WriteOps: writes, Ops: reads + writes,
		OpsPerS: float64(reads+writes) / elapsed.Seconds(),
		CPUNs:   cpu, RSSBytes: memory.Resident, RSSPeak: memory.Peak,
		Gomaxprocs: runtime.GOMAXPROCS(0), Go: runtime.Version(),
	})
}
