package main

import (
	"runtime"
	"sync"
)

// One sync.Mutex that all want: lock, count, hold for a while, unlock, do something else for a while.
//
//	contended kind:goroutine parties:N workers:W held_ns:H gap_ns:G for_ms:T seed:S
//	hog       kind:goroutine parties:N workers:W hog_ns:H held_ns:H gap_ns:G for_ms:T seed:S
//
// The first party of hog holds for long; waits and ops are those of the others.
type contention struct {
	mutex   sync.Mutex
	counter uint64 // guarded, on the mutex's line
	_       [128]byte
	time    window
	held    spin
	first   spin // what party 0 holds
	gap     spin
	seed    uint64
	parties []party
}

func newContention(parties int, heldNs, gapNs, seed int64) *contention {
	c := &contention{held: newSpin(heldNs), first: newSpin(heldNs), gap: newSpin(gapNs), seed: uint64(seed),
		parties: make([]party, parties)}
	for i := range c.parties {
		c.parties[i].waits = newDurations()
	}
	return c
}

func (c *contention) contend(me int) {
	own := &c.parties[me]
	held, gap := c.held, c.gap
	if me == 0 {
		held = c.first
	}
	samples := newSampler(c.seed + uint64(me))
	c.time.arrive()
	for !c.time.closed.Load() {
		if samples.due() {
			asked := clock()
			c.mutex.Lock()
			own.waits.record(clock()-asked, 1)
		} else {
			c.mutex.Lock()
		}
		c.counter++
		held.pass()
		c.mutex.Unlock()
		own.ops++
		gap.pass()
	}
}

// run lets them contend; an error if what the lock guarded does not add up.
func (c *contention) run(workers int, forMs int64) (within, error) {
	runtime.GOMAXPROCS(workers)
	var ended sync.WaitGroup
	for i := range c.parties {
		ended.Add(1)
		go func(me int) {
			defer ended.Done()
			c.contend(me)
		}(i)
	}
	seen := watch(&c.time, c.parties, forMs)
	ended.Wait()
	return seen, requireSum(c.parties, c.counter)
}

func contended(given *keys, line result) error {
	parties, workers := given.count("parties", 8, 1, 10_000), given.workers()
	heldNs := given.number("held_ns", 0, 0, 1_000_000_000)
	gapNs := given.number("gap_ns", 0, 0, 1_000_000_000)
	forMs := given.number("for_ms", 500, 1, 3_600_000)
	seed := given.number("seed", 1, 0, 1_000_000_000)
	if err := given.err(); err != nil {
		return err
	}
	machine := measureStalls(forMs)
	c := newContention(parties, heldNs, gapNs, seed)
	seen, err := c.run(workers, forMs)
	if err != nil {
		return err
	}
	waits := newDurations()
	for i := range c.parties {
		waits.add(&c.parties[i].waits)
	}
	seen.addTo(line)
	waits.addWaits(line)
	machine.addStalls(line)
	return nil
}

func hog(given *keys, line result) error {
	parties, workers := given.count("parties", 8, 2, 10_000), given.workers()
	hogNs := given.number("hog_ns", 500_000, 0, 1_000_000_000)
	heldNs := given.number("held_ns", 20, 0, 1_000_000_000)
	gapNs := given.number("gap_ns", 200, 0, 1_000_000_000)
	forMs := given.number("for_ms", 500, 1, 3_600_000)
	seed := given.number("seed", 1, 0, 1_000_000_000)
	if err := given.err(); err != nil {
		return err
	}
	machine := measureStalls(forMs)
	c := newContention(parties, heldNs, gapNs, seed)
	c.first = newSpin(hogNs)
	seen, err := c.run(workers, forMs)
	if err != nil {
		return err
	}
	waits := newDurations()
	for i := 1; i < len(c.parties); i++ {
		waits.add(&c.parties[i].waits)
	}
	line["hog_ops"] = seen.ops[0]
	seen.sum -= seen.ops[0]
	seen.ops = seen.ops[1:]
	seen.addTo(line)
	waits.addWaits(line)
	machine.addStalls(line)
	return nil
}
