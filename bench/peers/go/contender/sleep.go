package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"mortise.example/bench/peers/process"
)

// How late a 1 ms sleep ends on an idle machine, one sleeper at a time. Fails if any ended early, even by a nanosecond.
//
//	sleep kind:goroutine samples:N
func sleeping(given *keys, line result) error {
	samples := given.count("samples", 1_000, 1, 10_000_000)
	if err := given.err(); err != nil {
		return err
	}
	machine := measureStalls(int64(samples))
	runtime.GOMAXPROCS(1)
	late := newDurations()
	cpu, begin := process.CPUTime(), clock()
	for i := 0; i < samples; i++ {
		asleep := clock()
		time.Sleep(time.Millisecond)
		by := clock() - asleep - int64(time.Millisecond)
		if by < 0 {
			return fmt.Errorf("a sleep ended %d ns early", -by)
		}
		late.record(by, 1)
	}
	line["duration_ns"] = clock() - begin
	line["cpu_ns"] = process.CPUTime() - cpu
	line["p50_ns"] = late.quantile(0.5)
	line["p99_ns"] = late.quantile(0.99)
	line["max_ns"] = late.longest
	line["samples"] = samples
	machine.addStalls(line)
	return nil
}

// What many timers cost: goroutines that sleep 10 to 50 ms again and again; CPU ns a timer armed and fired.
//
//	timer kind:goroutine tasks:N workers:W for_ms:T
func timing(given *keys, line result) error {
	tasks, workers := given.count("tasks", 100_000, 1, 10_000_000), given.workers()
	forMs := given.number("for_ms", 500, 1, 3_600_000)
	if err := given.err(); err != nil {
		return err
	}
	runtime.GOMAXPROCS(workers)
	var at window
	fired := make([]uint32, tasks) // by each goroutine; only it writes
	lateness := sharedDurations{all: newDurations()}
	var ended sync.WaitGroup
	ended.Add(tasks)
	for i := range fired {
		go func(own *uint32, random uint64) {
			defer ended.Done()
			at.arrived.Add(1)
			for !at.closed.Load() {
				nap := 10_000_000 + int64(xorshift(&random)%40_000_000)
				due := int64(0)
				if random>>58 == 0 && at.open.Load() {
					due = clock() + nap
				}
				time.Sleep(time.Duration(nap))
				*own++
				if due != 0 {
					lateness.record(clock() - due)
				}
			}
		}(&fired[i], uint64(i)*0x9E3779B97F4A7C15|1)
	}
	for at.arrived.Load() != int64(tasks) {
		time.Sleep(time.Millisecond)
	}
	at.open.Store(true)
	cpu, begin, before := process.CPUTime(), clock(), sumOf(fired)
	time.Sleep(time.Duration(forMs) * time.Millisecond)
	cpu = process.CPUTime() - cpu
	durationNs := clock() - begin
	ops := sumOf(fired) - before
	at.closed.Store(true)
	ended.Wait()
	if ops == 0 {
		return errors.New("no timer fired in the time")
	}
	line["ns"] = float64(cpu) / float64(ops)
	line["ops"] = ops
	line["cpu_ns"] = cpu
	line["duration_ns"] = durationNs
	lateness.all.addLateness(line)
	return nil
}

func sumOf(each []uint32) uint64 {
	sum := uint64(0)
	for i := range each {
		sum += uint64(atomic.LoadUint32(&each[i]))
	}
	return sum
}

// What a goroutine takes in memory while it sleeps: RSS once all are asleep, minus RSS before the first, divided by their
// number; and page tables, which RSS leaves out.
//
//	footprint kind:goroutine tasks:N
func footprint(given *keys, line result) error {
	tasks := given.count("tasks", 1_000_000, 1_000, 100_000_000)
	if err := given.err(); err != nil {
		return err
	}
	var started atomic.Int64
	before := process.ReadMemory()
	begin := clock()
	for i := 0; i < tasks; i++ {
		go func() {
			started.Add(1)
			time.Sleep(time.Hour)
		}()
	}
	for started.Load() < int64(tasks) {
		time.Sleep(time.Millisecond)
	}
	startNs := clock() - begin
	if err := process.Settle(); err != nil {
		return err
	}
	after := process.ReadMemory()
	perTask := func(bytes int64) float64 { return float64(bytes) / float64(tasks) }
	line["bytes_per_task"] = perTask(after.Resident - before.Resident)
	line["page_table_bytes_per_task"] = perTask(after.PageTables - before.PageTables)
	line["rss_bytes"] = after.Resident
	line["start_ns"] = startNs
	return nil
}
