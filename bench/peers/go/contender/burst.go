package main

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"mortise.example/bench/peers/process"
)

// All parties arrive at once, again and again: behind a barrier each locks once, and a round lasts until the last of them
// had the mutex. The first round is not counted. Goroutines yield until the barrier opens, as fibers do.
//
//	burst kind:goroutine parties:N workers:W held_ns:H for_ms:T
type bursts struct {
	mutex   sync.Mutex
	counter uint64 // guarded
	_       [128]byte
	round   atomic.Uint64 // odd: the last one
	_       [128]byte
	arrived atomic.Int64
	_       [128]byte
	parties int64
	held    spin
	forNs   int64

	rounds        durations // what follows is written by who is the last, all others wait then
	begin, opened int64
	done          uint64
}

func (b *bursts) arrive() {
	if b.arrived.Add(1) != b.parties {
		return
	}
	b.arrived.Store(0)
	if b.done == 0 {
		b.begin = clock()
	}
	b.opened = clock()
	if b.done != 0 && b.opened-b.begin >= b.forNs {
		b.round.Add(1)
	} else {
		b.round.Add(2)
	}
}

func (b *bursts) party() {
	for {
		seen := b.round.Load()
		b.arrive()
		for b.round.Load() == seen {
			runtime.Gosched()
		}
		if b.round.Load()%2 != 0 {
			return
		}
		b.mutex.Lock()
		b.held.pass()
		b.counter++
		if b.counter%uint64(b.parties) == 0 {
			if b.done != 0 {
				b.rounds.record(clock()-b.opened, 1)
			}
			b.done++
		}
		b.mutex.Unlock()
	}
}

func burst(given *keys, line result) error {
	parties, workers := given.count("parties", 8, 1, 10_000), given.workers()
	heldNs := given.number("held_ns", 20, 0, 1_000_000_000)
	forMs := given.number("for_ms", 500, 1, 3_600_000)
	if err := given.err(); err != nil {
		return err
	}
	machine := measureStalls(forMs)
	b := &bursts{parties: int64(parties), held: newSpin(heldNs), forNs: forMs * 1_000_000, rounds: newDurations()}
	runtime.GOMAXPROCS(workers)
	cpu := process.CPUTime()
	var ended sync.WaitGroup
	for i := 0; i < parties; i++ {
		ended.Add(1)
		go func() {
			defer ended.Done()
			b.party()
		}()
	}
	ended.Wait()
	cpu = process.CPUTime() - cpu
	if b.counter != b.done*uint64(parties) {
		return errors.New("the counter does not add up")
	}
	if b.rounds.total == 0 {
		return errors.New("no round ended in the time")
	}
	line["ns"] = b.rounds.quantile(0.5)
	line["p99_ns"] = b.rounds.quantile(0.99)
	line["max_ns"] = b.rounds.longest
	line["ops"] = b.counter
	line["rounds"] = b.rounds.total
	line["cpu_ns"] = cpu
	machine.addStalls(line)
	return nil
}
