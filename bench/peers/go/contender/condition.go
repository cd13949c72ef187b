package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"mortise.example/bench/peers/process"
)

// Many wait, each until its own number is due: a sync.Cond, whose Broadcast wakes all.
//
//	condition kind:goroutine waiters:N random:0|1 workers:W for_ms:T
//
// With the lock held the one whose number is due counts, names the number that is due next, and waits again: in turn, or
// at random.
type board struct {
	mutex   sync.Mutex
	changed *sync.Cond
	due     int
	over    bool
	updates uint64
	random  uint64 // the state of a generator, or 0: in turn
	_       [128]byte
	time    window
	parties []party
}

func (b *board) waitInTurns(me int) {
	b.time.arrived.Add(1)
	for goesOn := true; goesOn; {
		b.mutex.Lock()
		for b.due != me && !b.over {
			b.changed.Wait()
		}
		goesOn = b.turn(me)
		b.mutex.Unlock()
		b.changed.Broadcast()
	}
}

// turn is taken with the lock held. False: all is over.
func (b *board) turn(me int) bool {
	if b.over {
		return false
	}
	b.parties[me].ops++
	b.updates++
	b.over = b.time.closed.Load()
	b.due = (me + 1) % len(b.parties)
	if b.random != 0 {
		if n := int(xorshift(&b.random) % uint64(len(b.parties))); n != me {
			b.due = n
		}
	}
	return !b.over
}

func (b *board) sum() uint64 {
	sum := uint64(0)
	for i := range b.parties {
		sum += readOps(&b.parties[i])
	}
	return sum
}

func condition(given *keys, line result) error {
	waiters, workers := given.count("waiters", 1_000, 2, 100_000), given.workers()
	random := given.number("random", 0, 0, 1)
	forMs := given.number("for_ms", 500, 1, 3_600_000)
	if err := given.err(); err != nil {
		return err
	}
	runtime.GOMAXPROCS(workers)
	b := &board{due: -1, random: uint64(random) * 0x9E3779B97F4A7C15, parties: make([]party, waiters)}
	b.changed = sync.NewCond(&b.mutex)
	var ended sync.WaitGroup
	for i := 0; i < waiters; i++ {
		ended.Add(1)
		go func(me int) {
			defer ended.Done()
			b.waitInTurns(me)
		}(i)
	}
	for b.time.arrived.Load() != int64(waiters) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // they wait
	b.mutex.Lock()
	b.due = 0
	b.mutex.Unlock()
	b.changed.Broadcast()
	time.Sleep(20 * time.Millisecond) // a lap or so
	updates := -b.sum()
	begin, cpu := clock(), process.CPUTime()
	time.Sleep(time.Duration(forMs) * time.Millisecond)
	updates += b.sum()
	duration := clock() - begin
	cpu = process.CPUTime() - cpu
	b.time.closed.Store(true)
	ended.Wait()
	if sum := b.sum(); sum != b.updates {
		return fmt.Errorf("there were %d turns and %d updates", sum, b.updates)
	}
	if updates == 0 {
		return errors.New("nobody had a turn in the time")
	}
	line["ops"] = updates
	line["duration_ns"] = duration
	line["ops_per_s"] = float64(updates) * 1e9 / float64(duration)
	line["cpu_ns"] = cpu
	return nil
}
