package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"mortise.example/bench/peers/process"
)

// A sampler says which acquisitions of a party are timed: the first, then one in 16 on average, at random, so that no
// rhythm of a lock hides from it.
type sampler struct {
	state uint64
	left  uint32
}

func newSampler(seed uint64) sampler { return sampler{state: seed*0x9E3779B97F4A7C15 | 1, left: 1} }

func (s *sampler) due() bool {
	s.left--
	if s.left != 0 {
		return false
	}
	s.left = 1 + uint32(xorshift(&s.state)%31) // 1..31
	return true
}

func xorshift(state *uint64) uint64 {
	*state ^= *state << 13
	*state ^= *state >> 7
	*state ^= *state << 17
	return *state
}

// What one party did, on lines of its own. The count is read by others in the middle of the run. An atomic store is an
// exchange in Go, 5 ns that the parties in C++ do not pay; a plain store of a word is what they do.
type party struct {
	ops   uint64
	waits durations
	_     [128]byte
}

// The flags that parties look at and one goroutine sets.
type window struct {
	open    atomic.Bool
	closed  atomic.Bool
	_       [128]byte
	arrived atomic.Int64
	_       [128]byte
}

func (w *window) arrive() {
	w.arrived.Add(1)
	for !w.open.Load() {
		runtime.Gosched()
	}
}

// What was done between the moment the window opened and the moment the counts were read.
type within struct {
	ops        []uint64
	sum        uint64
	durationNs int64
	cpuNs      int64
}

// watch waits until all have arrived, opens, waits, reads what they did, closes.
func watch(w *window, parties []party, forMs int64) within {
	for w.arrived.Load() != int64(len(parties)) {
		time.Sleep(200 * time.Microsecond)
	}
	seen := within{ops: make([]uint64, len(parties))}
	cpu := process.CPUTime()
	begin := clock()
	w.open.Store(true)
	time.Sleep(time.Duration(forMs)*time.Millisecond - time.Duration(clock()-begin))
	for tries := 0; tries < 20; tries++ {
		before := clock() - begin
		for i := range parties {
			seen.ops[i] = readOps(&parties[i])
		}
		seen.durationNs = clock() - begin
		if seen.durationNs-before < 20_000 { // else the reader lost its core between the counts and the clock
			break
		}
	}
	seen.cpuNs = process.CPUTime() - cpu
	w.closed.Store(true)
	for _, ops := range seen.ops {
		seen.sum += ops
	}
	return seen
}

func readOps(p *party) uint64 { return atomic.LoadUint64(&p.ops) }

// share is the least that a party had, of the most.
func (s within) share() float64 {
	least, most := s.ops[0], s.ops[0]
	for _, ops := range s.ops {
		if ops < least {
			least = ops
		}
		if ops > most {
			most = ops
		}
	}
	if most == 0 {
		return 0
	}
	return float64(least) / float64(most)
}

func (s within) addTo(line result) {
	line["ops"] = s.sum
	line["duration_ns"] = s.durationNs
	line["ops_per_s"] = float64(s.sum) * 1e9 / float64(s.durationNs)
	line["share"] = s.share()
	line["cpu_ns"] = s.cpuNs
}

// requireSum is for when all have ended: the plain counter that the lock guarded holds every increment.
func requireSum(parties []party, counter uint64) error {
	sum := uint64(0)
	for i := range parties {
		sum += parties[i].ops
	}
	if sum != counter {
		return fmt.Errorf("the counter holds %d of %d increments", counter, sum)
	}
	return nil
}
