package main

import (
	"errors"
	"fmt"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"

	"mortise.example/bench/peers/process"
)

// What it takes to go on with another goroutine, on one worker.
//
//	switch kind:goroutine parties:N for_ms:T      ns from one yield to the next goroutine's
func switching(given *keys, line result) error {
	parties := given.count("parties", 2, 2, 10_000)
	forMs := given.number("for_ms", 300, 1, 3_600_000)
	if err := given.err(); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	var time window
	all := make([]party, parties)
	var ended sync.WaitGroup
	for i := range all {
		ended.Add(1)
		go func(own *party) {
			defer ended.Done()
			time.arrived.Add(1)
			for !time.closed.Load() {
				runtime.Gosched()
				own.ops++
			}
		}(&all[i])
	}
	seen := watch(&time, all, forMs)
	ended.Wait()
	if seen.sum == 0 {
		return errors.New("nobody had a turn in the time")
	}
	line["ns"] = float64(seen.durationNs) / float64(seen.sum)
	line["ops"] = seen.sum
	line["share"] = seen.share()
	line["duration_ns"] = seen.durationNs
	line["cpu_ns"] = seen.cpuNs
	return nil
}

// What it takes to start a goroutine and to wait for its end, in batches, from within a goroutine.
//
//	spawn kind:goroutine batch:N workers:W for_ms:T
func spawning(given *keys, line result) error {
	batch := given.count("batch", 1_000, 1, 1_000_000)
	workers := given.count("workers", 1, 1, 1_024)
	forMs := given.number("for_ms", 300, 1, 3_600_000)
	if err := given.err(); err != nil {
		return err
	}
	runtime.GOMAXPROCS(workers)
	var ran atomic.Uint64
	var ns []float64
	batches := uint64(0)
	cpu := process.CPUTime()
	for begin := clock(); clock()-begin < forMs*1_000_000 || len(ns) == 0; batches++ {
		start := clock()
		var ended sync.WaitGroup
		ended.Add(batch)
		for i := 0; i < batch; i++ {
			go func() {
				ran.Add(1)
				ended.Done()
			}()
		}
		ended.Wait()
		if batches != 0 {
			ns = append(ns, float64(clock()-start)/float64(batch))
		}
	}
	cpu = process.CPUTime() - cpu
	if ran.Load() != batches*uint64(batch) {
		return fmt.Errorf("%d goroutines ran of %d", ran.Load(), batches*uint64(batch))
	}
	sort.Float64s(ns)
	line["ns"] = ns[len(ns)/2]
	line["ops"] = ran.Load()
	line["cpu_ns"] = cpu
	return nil
}
