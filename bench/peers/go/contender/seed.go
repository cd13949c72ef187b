package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"mortise.example/bench/peers/process"
)

// Durations that all goroutines record into, now and then.
type sharedDurations struct {
	guard sync.Mutex
	all   durations
}

func (s *sharedDurations) record(ns int64) {
	s.guard.Lock()
	s.all.record(ns, 1)
	s.guard.Unlock()
}

// The seed's program: readers and writers share a map behind one sync.Mutex and sleep 1 ms between their turns.
//
//	seed kind:goroutine readers:R writers:W workers:N for_ms:T
//
// As in the other peers a section does not check that it is alone; a plain count in it must add up, and one sleep in 64
// is timed. Keys are drawn by each goroutine for itself, which costs less than math/rand. The clock starts when every
// goroutine is in its loop.
type seedProgram struct {
	mutex    sync.Mutex
	state    map[int]int // guarded
	sections uint64      // guarded
	_        [128]byte
	readOps  uint64
	_        [128]byte
	writeOps uint64
	_        [128]byte
	open     atomic.Bool
	closed   atomic.Bool
	_        [128]byte
	arrived  int64
	_        [128]byte
	lateness sharedDurations
	ended    sync.WaitGroup
}

const (
	seedKeys   = 5
	seedValues = 100
	seedPause  = time.Millisecond
)

func draw(random *uint64, below uint64) int { return int((xorshift(random) >> 33) * below >> 31) }

// turns is the loop of one goroutine. `section` is its own closure, so that readers and writers stay two short loops.
func (s *seedProgram) turns(me uint64, ops *uint64, section func(random *uint64)) {
	defer s.ended.Done()
	random := me*0x9E3779B97F4A7C15 | 1
	atomic.AddInt64(&s.arrived, 1)
	for turn := me; !s.closed.Load(); turn++ {
		section(&random)
		atomic.AddUint64(ops, 1)
		if turn%64 == 0 && s.open.Load() {
			due := clock() + int64(seedPause)
			time.Sleep(seedPause)
			s.lateness.record(clock() - due)
		} else {
			time.Sleep(seedPause)
		}
	}
}

func (s *seedProgram) reader(me uint64) {
	total := 0
	s.turns(me, &s.readOps, func(random *uint64) {
		key := draw(random, seedKeys)
		s.mutex.Lock()
		total += s.state[key]
		s.sections++
		s.mutex.Unlock()
	})
}

func (s *seedProgram) writer(me uint64) {
	s.turns(me, &s.writeOps, func(random *uint64) {
		key, value := draw(random, seedKeys), draw(random, seedValues)
		s.mutex.Lock()
		s.state[key] = value
		s.sections++
		s.mutex.Unlock()
	})
}

func (s *seedProgram) ops() uint64 {
	return atomic.LoadUint64(&s.readOps) + atomic.LoadUint64(&s.writeOps)
}

// check is for when all have ended.
func (s *seedProgram) check() error {
	if s.sections != s.ops() {
		return fmt.Errorf("%d sections, but %d operations", s.sections, s.ops())
	}
	for key, value := range s.state {
		if key < 0 || key >= seedKeys || value < 0 || value >= seedValues {
			return fmt.Errorf("the map holds %d:%d, which nobody wrote", key, value)
		}
	}
	return nil
}

func seed(given *keys, line result) error {
	readers, writers := given.count("readers", 100, 0, 10_000_000), given.count("writers", 10, 0, 10_000_000)
	workers := given.workers()
	forMs := given.number("for_ms", 1_000, 1, 3_600_000)
	if err := given.err(); err != nil {
		return err
	}
	if readers+writers == 0 {
		return usageError("readers: 0 and writers: 0 leave nobody")
	}
	runtime.GOMAXPROCS(workers)
	s := &seedProgram{state: make(map[int]int)}
	s.lateness.all = newDurations()
	s.ended.Add(readers + writers)
	for i := 0; i < readers; i++ {
		go s.reader(uint64(i))
	}
	for i := readers; i < readers+writers; i++ {
		go s.writer(uint64(i))
	}
	for atomic.LoadInt64(&s.arrived) < int64(readers+writers) {
		time.Sleep(100 * time.Microsecond)
	}
	s.open.Store(true)
	cpu := process.CPUTime()
	begin, before := clock(), s.ops()
	time.Sleep(time.Duration(forMs) * time.Millisecond)
	ops := s.ops() - before
	durationNs := clock() - begin
	cpu = process.CPUTime() - cpu
	s.closed.Store(true)
	s.ended.Wait()
	if err := s.check(); err != nil {
		return err
	}
	line["ops"] = ops
	line["duration_ns"] = durationNs
	line["ops_per_s"] = float64(ops) * 1e9 / float64(durationNs)
	line["cpu_ns"] = cpu
	line["rss_peak_bytes"] = process.ReadMemory().Peak
	line["gomaxprocs"] = workers
	s.lateness.all.addLateness(line)
	return nil
}
