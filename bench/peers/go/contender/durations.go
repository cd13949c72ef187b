package main

import "math/bits"

// durations are log-linear buckets, 64 to each power of two, so that a percentile is right to 1.6 %. One goroutine's own;
// they are added up when all have ended.
type durations struct {
	counts  []uint64
	total   uint64
	longest uint64
}

const (
	bucketBits     = 6
	bucketsOfPower = 1 << bucketBits
)

func bucketOf(n uint64) int {
	if n < bucketsOfPower {
		return int(n)
	}
	power := bits.Len64(n) - bucketBits - 1 // n >> power is in 64..127
	return (power+1)*bucketsOfPower + int(n>>power) - bucketsOfPower
}

// The longest duration of a bucket.
func topOf(bucket int) uint64 {
	if bucket < bucketsOfPower {
		return uint64(bucket)
	}
	power := bucket/bucketsOfPower - 1
	return (uint64(bucket%bucketsOfPower)+bucketsOfPower+1)<<power - 1
}

// newDurations has room for ten seconds, so that nobody allocates in the middle of a measurement.
func newDurations() durations { return durations{counts: make([]uint64, bucketOf(10_000_000_000)+1)} }

func (d *durations) record(ns int64, weight uint64) {
	n := uint64(0)
	if ns > 0 {
		n = uint64(ns)
	}
	bucket := bucketOf(n)
	for bucket >= len(d.counts) {
		d.counts = append(d.counts, 0)
	}
	d.counts[bucket] += weight
	d.total += weight
	if n > d.longest {
		d.longest = n
	}
}

func (d *durations) add(other *durations) {
	for len(d.counts) < len(other.counts) {
		d.counts = append(d.counts, 0)
	}
	for i, n := range other.counts {
		d.counts[i] += n
	}
	d.total += other.total
	if other.longest > d.longest {
		d.longest = other.longest
	}
}

// quantile is the smallest duration that at least this share of all do not exceed; 0 when there is none.
func (d *durations) quantile(share float64) uint64 {
	rank := share * float64(d.total)
	if rank < 1 {
		rank = 1
	}
	seen := 0.0
	for bucket, n := range d.counts {
		seen += float64(n)
		if seen >= rank {
			if top := topOf(bucket); top < d.longest {
				return top
			}
			return d.longest
		}
	}
	return d.longest
}

// halfOfTime: half of the time of all of them together is in durations no longer than this.
func (d *durations) halfOfTime() uint64 {
	timeIn := func(bucket int) float64 { return float64(d.counts[bucket]) * float64(topOf(bucket)) }
	all, seen := 0.0, 0.0
	for bucket := range d.counts {
		all += timeIn(bucket)
	}
	for bucket := range d.counts {
		seen += timeIn(bucket)
		if seen >= all/2 {
			if top := topOf(bucket); top < d.longest {
				return top
			}
			return d.longest
		}
	}
	return d.longest
}

func (d *durations) addWaits(line result) {
	line["wait_p50_ns"] = d.quantile(0.5)
	line["wait_p99_ns"] = d.quantile(0.99)
	line["wait_p999_ns"] = d.quantile(0.999)
	line["wait_max_ns"] = d.longest
	line["wait_half_ns"] = d.halfOfTime()
	line["waits_timed"] = d.total
}

func (d *durations) addLateness(line result) {
	line["lateness_p50_ns"] = d.quantile(0.5)
	line["lateness_p99_ns"] = d.quantile(0.99)
	line["lateness_max_ns"] = d.longest
}
