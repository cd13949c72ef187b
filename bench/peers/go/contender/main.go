// Go as a contender of `mortise bench`: goroutines on sync.Mutex, sync.RWMutex and sync.Cond.
//
//	contender-go --list                     what it can do, as one JSON line
//	contender-go WORKLOAD key:value ...     one JSON line, the result of one sample
//
// The workloads, their keys and their figures are those of the contenders in C++ (bench/workload/*.hpp), and so are spins,
// the sampling of waits and the stalls beside them. `workers` is GOMAXPROCS; without it Go chooses.
//
// Exit: 0 measured, 1 what was measured does not add up or could not be had (one line on stderr), 2 bad usage.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
)

const kind = "goroutine"

// A workload reads its keys, measures and adds its figures to the result, or says why that is none.
type workload func(*keys, result) error

var workloads = map[string]workload{
	"uncontended":    uncontended,
	"rw_uncontended": rwUncontended,
	"read_mostly":    readMostlyOf,
	"condition":      condition,
	"contended":      contended,
	"hog":            hog,
	"burst":          burst,
	"seed":           seed,
	"switch":         switching,
	"spawn":          spawning,
	"timer":          timing,
	"sleep":          sleeping,
	"footprint":      footprint,
}

// The figures of one sample by name.
type result map[string]any

func main() {
	line, err := answer(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "contender-go:", err)
		var usage usageError
		if errors.As(err, &usage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
	fmt.Println(line)
}

// The one line for these words.
func answer(words []string) (string, error) {
	if len(words) == 0 {
		return "", usageError("names no workload; see --list")
	}
	if words[0] == "--list" {
		return list(), nil
	}
	run, known := workloads[words[0]]
	if !known {
		return "", usageError(words[0] + ": no such workload here")
	}
	given, err := readKeys(words[1:])
	if err != nil {
		return "", err
	}
	if k := given.word("kind", kind); k != kind {
		return "", usageError("kind: " + k + " is not " + kind)
	}
	line := result{"bench": benchName(words[0], words[1:])}
	if err := run(given, line); err != nil {
		return "", err
	}
	return encoded(line), nil
}

// What says how long or how often it was measured is no part of what was.
func benchName(workload string, words []string) string {
	name := workload + "/go/kind:" + kind
	for _, word := range words {
		switch key, _, _ := strings.Cut(word, ":"); key {
		case "kind", "for_ms", "seed", "iterations", "samples":
		default:
			name += "/" + word
		}
	}
	return name
}

func list() string {
	kinds := map[string][]string{}
	for name := range workloads {
		kinds[name] = []string{kind}
	}
	return encoded(map[string]any{
		"contender": "go", "version": strings.TrimPrefix(runtime.Version(), "go"), "language": "Go",
		"workloads": kinds,
	})
}

func encoded(value any) string {
	line, err := json.Marshal(value)
	if err != nil { // a figure that is no number
		panic(err)
	}
	return string(line)
}

func workloadNames() []string {
	var names []string
	for name := range workloads {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
