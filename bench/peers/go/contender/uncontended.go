package main

import (
	"errors"
	"sort"
	"sync"
)

const slice = 20_000

type guardedCounter struct {
	mutex sync.Mutex
	value uint64
}

//go:noinline
func (c *guardedCounter) lockAndUnlock() {
	for i := 0; i < slice; i++ {
		c.mutex.Lock()
		c.value++
		c.mutex.Unlock()
	}
}

// Lock and unlock of a mutex that nobody else wants.
//
//	uncontended kind:goroutine iterations:N
//
// Measured in slices of some hundred microseconds; ns is the median slice, in which a core that was taken away for a while
// does not show, mean_ns the mean. Other threads are alive: Go's own.
func uncontended(given *keys, line result) error {
	iterations := given.number("iterations", 3_000_000, slice, 10_000_000_000)
	if err := given.err(); err != nil {
		return err
	}
	counter := new(guardedCounter)
	ns := make([]int64, iterations/slice)
	for i := range ns {
		begin := clock()
		counter.lockAndUnlock()
		ns[i] = clock() - begin
	}
	if counter.value != uint64(len(ns))*slice {
		return errors.New("the counter does not add up")
	}
	addSlices(line, ns)
	return nil
}

// addSlices tells of slices of so many pairs of lock and unlock: the median and the mean of a pair.
func addSlices(line result, ns []int64) {
	sum := int64(0)
	for _, took := range ns {
		sum += took
	}
	sort.Slice(ns, func(a, b int) bool { return ns[a] < ns[b] })
	line["ns"] = float64(ns[len(ns)/2]) / slice
	line["mean_ns"] = float64(sum) / float64(len(ns)*slice)
	line["iterations"] = len(ns) * slice
}
