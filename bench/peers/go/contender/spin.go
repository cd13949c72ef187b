package main

import (
	"math"
	"runtime"
	"sync"
	"time"
)

var programStart = time.Now()

// clock reads the monotonic clock only: time.Now would read a second one.
func clock() int64 { return int64(time.Since(programStart)) }

// One dependent subtraction an iteration, which no core does in less than a cycle. What is left is returned so that a
// compiler that learned to leave out empty loops has to keep this one or be found out by calibrate.
//
//go:noinline
func spinIterations(iterations uint64) uint64 {
	left := iterations
	for left != 0 {
		left--
	}
	return left
}

var (
	calibrated      sync.Once
	iterationsPerNs float64
)

// calibrate tells how many iterations take a nanosecond: the fastest of many tries, since what is slower was interrupted.
func calibrate() float64 {
	const iterations = 20_000
	best := int64(math.MaxInt64)
	for tries := 0; tries < 200; tries++ {
		begin := clock()
		spinIterations(iterations)
		if took := clock() - begin; took < best {
			best = took
		}
	}
	if best < iterations/20 { // 20 cycles a nanosecond: no processor is that fast
		panic("the loop that spins was left out by the compiler")
	}
	return iterations / float64(best)
}

// spin keeps a core busy for so long without asking a clock: reading one takes as long as the shortest sections here.
type spin uint64

func newSpin(ns int64) spin {
	calibrated.Do(func() { iterationsPerNs = calibrate() })
	return spin(float64(ns)*iterationsPerNs + 0.5)
}

func (s spin) pass() {
	if s != 0 {
		spinIterations(uint64(s))
	}
}

// measureStalls tells how long this machine takes a core away from a goroutine that wants nothing but to run: one spinning
// on each core reads the clock. Weighted by time, as in bench/harness/stall.hpp. A quarter of the run that it stands
// beside, before it, but no less than 20 ms.
func measureStalls(runMs int64) durations {
	forNs := runMs * 1_000_000 / 4
	if forNs < 20_000_000 {
		forNs = 20_000_000
	}
	if forNs > 500_000_000 {
		forNs = 500_000_000
	}
	cores := runtime.NumCPU()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	each := make([]durations, cores)
	var ended sync.WaitGroup
	for i := range each {
		each[i] = newDurations()
		own := &each[i]
		ended.Add(1)
		go func() {
			defer ended.Done()
			last := clock()
			for end := last + forNs; last < end; {
				now := clock()
				own.record(now-last, uint64(now-last))
				last = now
			}
		}()
	}
	ended.Wait()
	all := newDurations()
	for i := range each {
		all.add(&each[i])
	}
	return all
}

func (d *durations) addStalls(line result) {
	line["stall_p999_ns"] = d.quantile(0.999)
	line["stall_max_ns"] = d.longest
}
