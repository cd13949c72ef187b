package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

type sharedCounter struct {
	mutex sync.RWMutex
	value uint64
}

//go:noinline
func (c *sharedCounter) readInTurn() uint64 {
	sum := uint64(0)
	for i := 0; i < slice; i++ {
		c.mutex.RLock()
		sum += c.value
		c.mutex.RUnlock()
	}
	return sum
}

// Read lock and unlock of a sync.RWMutex that nobody else wants.
//
//	rw_uncontended kind:goroutine iterations:N
func rwUncontended(given *keys, line result) error {
	iterations := given.number("iterations", 3_000_000, slice, 10_000_000_000)
	if err := given.err(); err != nil {
		return err
	}
	counter := &sharedCounter{value: 3}
	ns := make([]int64, iterations/slice)
	sum := uint64(0)
	for i := range ns {
		begin := clock()
		sum += counter.readInTurn()
		ns[i] = clock() - begin
	}
	if sum != uint64(len(ns))*slice*counter.value {
		return errors.New("what was read does not add up")
	}
	addSlices(line, ns)
	return nil
}

// A small value that many read and few write: eight numbers on lines of their own, all equal.
//
//	read_mostly kind:goroutine parties:N reads:R workers:W for_ms:T seed:S
//
// R of a hundred turns read, at random. A writer adds one to each number: a reader that sees two that differ was let in
// beside a writer. The waits are the writers'.
type readMostly struct {
	mutex   sync.RWMutex
	_       [128]byte
	value   [8]uint64 // guarded
	_       [128]byte
	time    window
	reads   uint64
	seed    uint64
	parties []party
	results []readMostlyResult
}

type readMostlyResult struct {
	writes, torn uint64
	_            [128]byte
}

func (r *readMostly) readOrWrite(me int) {
	own := &r.parties[me]
	seed := r.seed + uint64(me)
	random := seed*0x9E3779B97F4A7C15 | 1
	writesBelow := (100 - r.reads) << 32
	samples := newSampler(seed)
	allTimed := r.reads >= 95
	var found readMostlyResult
	r.time.arrive()
	for !r.time.closed.Load() {
		if writesBelow != 0 && (xorshift(&random)>>32)*100 < writesBelow {
			if allTimed || samples.due() {
				asked := clock()
				r.mutex.Lock()
				own.waits.record(clock()-asked, 1)
			} else {
				r.mutex.Lock()
			}
			for i := range r.value {
				r.value[i]++
			}
			r.mutex.Unlock()
			found.writes++
		} else {
			differ := uint64(0)
			r.mutex.RLock()
			for _, each := range r.value {
				differ |= each ^ r.value[0]
			}
			r.mutex.RUnlock()
			if differ != 0 {
				found.torn++
			}
		}
		own.ops++
	}
	r.results[me] = found
}

// check adds up what they did; an error if the lock let a reader in beside a writer, or two writers.
func (r *readMostly) check() (writes, ops uint64, err error) {
	torn := uint64(0)
	for i := range r.parties {
		writes += r.results[i].writes
		torn += r.results[i].torn
		ops += r.parties[i].ops
	}
	if torn != 0 {
		return writes, ops, fmt.Errorf("%d readers saw half of a write", torn)
	}
	for _, each := range r.value {
		if each != writes {
			return writes, ops, fmt.Errorf("a number holds %d of %d writes", each, writes)
		}
	}
	return writes, ops, nil
}

func readMostlyOf(given *keys, line result) error {
	parties, workers := given.count("parties", 100, 1, 10_000), given.workers()
	reads := given.count("reads", 90, 0, 100)
	forMs := given.number("for_ms", 500, 1, 3_600_000)
	seed := given.number("seed", 1, 0, 1_000_000_000)
	if err := given.err(); err != nil {
		return err
	}
	machine := measureStalls(forMs)
	r := &readMostly{reads: uint64(reads), seed: uint64(seed), parties: make([]party, parties),
		results: make([]readMostlyResult, parties)}
	for i := range r.parties {
		r.parties[i].waits = newDurations()
	}
	runtime.GOMAXPROCS(workers)
	var ended sync.WaitGroup
	for i := range r.parties {
		ended.Add(1)
		go func(me int) {
			defer ended.Done()
			r.readOrWrite(me)
		}(i)
	}
	seen := watch(&r.time, r.parties, forMs)
	ended.Wait()
	writes, ops, err := r.check()
	if err != nil {
		return err
	}
	waits := newDurations()
	for i := range r.parties {
		waits.add(&r.parties[i].waits)
	}
	seen.addTo(line)
	rate, part := float64(seen.sum)*1e9/float64(seen.durationNs), float64(writes)/float64(ops)
	line["reads_per_s"] = rate * (1 - part)
	line["writes_per_s"] = rate * part
	if waits.total != 0 {
		waits.addWaits(line)
	}
	machine.addStalls(line)
	return nil
}
