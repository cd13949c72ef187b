// The parties of `mortise bench C1` to `C5` that use etcd's own Go client (bench/workload/cluster.hpp): its recipe for a lock,
// go.etcd.io/etcd/client/v3/concurrency, around a Get and a Put.
//
//	etcd-parties-go role:update endpoint:URL parties:N kind:K for_ms:T
//	etcd-parties-go role:hold|wait endpoint:URL name:NAME ttl_ms:T
//	etcd-parties-go role:read endpoint:URL
//
// kind is goroutine, where each has a session of its own (one session is one holder: two goroutines that lock with the same one
// both have the lock), or goroutine_behind_mutex, where all share one behind a sync.Mutex, which is as fast as it gets.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"
)

var given = map[string]string{}

func number(key string) int {
	n, err := strconv.Atoi(given[key])
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd-parties-go:", err)
		os.Exit(1)
	}
}

var input = bufio.NewReader(os.Stdin)

// readyAndTold says that all is prepared, and waits to be told to go on.
func readyAndTold() {
	fmt.Println("ready")
	_, err := input.ReadString('\n')
	check(err)
}

const value = "bench/value"

func readValue(client *clientv3.Client) int {
	found, err := client.Get(context.Background(), value)
	check(err)
	if len(found.Kvs) == 0 {
		return 0
	}
	n, err := strconv.Atoi(string(found.Kvs[0].Value))
	check(err)
	return n
}

func update(client *clientv3.Client, lock *concurrency.Mutex) {
	check(lock.Lock(context.Background()))
	n := readValue(client)
	_, err := client.Put(context.Background(), value, strconv.Itoa(n+1))
	check(err)
	check(lock.Unlock(context.Background()))
}

func newLock(client *clientv3.Client, name string, ttl int) (*concurrency.Session, *concurrency.Mutex) {
	session, err := concurrency.NewSession(client, concurrency.WithTTL(ttl))
	check(err)
	return session, concurrency.NewMutex(session, "bench/lock/"+name)
}

// What all parties of this process have had, in its order.
type progress struct {
	guard sync.Mutex
	last  time.Time
	away  time.Duration // the longest in which nobody had anything
	took  []time.Duration
}

func (p *progress) note(took time.Duration) {
	p.guard.Lock()
	defer p.guard.Unlock()
	p.took = append(p.took, took)
	p.pause()
}

func (p *progress) pause() {
	now := time.Now()
	if gap := now.Sub(p.last); gap > p.away {
		p.away = gap
	}
	p.last = now
}

func (p *progress) quantile(share float64) int64 {
	if len(p.took) == 0 {
		return 0
	}
	return int64(p.took[int(share*float64(len(p.took)-1))])
}

func updates(client *clientv3.Client) {
	parties := number("parties")
	var local sync.Mutex
	locks := make([]*concurrency.Mutex, parties)
	for i := range locks {
		if i == 0 || given["kind"] == "goroutine" {
			_, locks[i] = newLock(client, "one", 10)
		} else {
			locks[i] = locks[0]
		}
	}
	once := func(lock *concurrency.Mutex) {
		if given["kind"] == "goroutine_behind_mutex" {
			local.Lock()
			defer local.Unlock()
		}
		update(client, lock)
	}
	readyAndTold()
	var p progress
	var all sync.WaitGroup
	begin := time.Now()
	p.last = begin
	until := begin.Add(time.Duration(number("for_ms")) * time.Millisecond)
	for _, lock := range locks {
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				asked := time.Now()
				if asked.After(until) {
					return
				}
				once(lock)
				p.note(time.Since(asked))
			}
		}()
	}
	all.Wait()
	took := time.Since(begin)
	p.pause()
	sort.Slice(p.took, func(i, j int) bool { return p.took[i] < p.took[j] })
	fmt.Printf("updates:%d duration_ns:%d p50_ns:%d p99_ns:%d max_ns:%d away_max_ns:%d\n", len(p.took), took, p.quantile(0.5),
		p.quantile(0.99), p.quantile(1), p.away)
}

// Holds until it is told to leave, or is killed.
func hold(client *clientv3.Client) {
	session, lock := newLock(client, given["name"], number("ttl_ms")/1000)
	check(lock.Lock(context.Background()))
	readyAndTold()
	check(lock.Unlock(context.Background()))
	check(session.Close())
}

// Waits for who holds, and says when it has the lock.
func wait(client *clientv3.Client) {
	session, lock := newLock(client, given["name"], number("ttl_ms")/1000)
	fmt.Println("ready")
	check(lock.Lock(context.Background()))
	fmt.Println("inside")
	check(lock.Unlock(context.Background()))
	check(session.Close())
}

func main() {
	for _, word := range os.Args[1:] {
		key, text, _ := strings.Cut(word, ":")
		given[key] = text
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{given["endpoint"]}, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	check(err)
	switch given["role"] {
	case "update":
		updates(client)
	case "hold":
		hold(client)
	case "wait":
		wait(client)
	case "read":
		fmt.Printf("value:%d\n", readValue(client))
	default:
		check(fmt.Errorf("role: '%s' is none of update, hold, wait, read", given["role"]))
	}
}
