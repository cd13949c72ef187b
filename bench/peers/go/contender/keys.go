package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// A bad word: one line that names the key and says what is allowed.
type usageError string

func (e usageError) Error() string { return string(e) }

// keys are the key:value words behind a workload's name, each checked against its range. The first thing that is wrong is
// kept, and told by err when all have been asked for.
type keys struct {
	given map[string]string
	known map[string]bool
	wrong error
}

func readKeys(words []string) (*keys, error) {
	k := &keys{given: map[string]string{}, known: map[string]bool{}}
	for _, word := range words {
		key, value, ok := strings.Cut(word, ":")
		if !ok {
			return nil, usageError(word + ": is not of the form key:value")
		}
		if _, twice := k.given[key]; twice {
			return nil, usageError(key + ": given twice")
		}
		k.given[key] = value
	}
	return k, nil
}

func (k *keys) word(key, otherwise string) string {
	k.known[key] = true
	if value, ok := k.given[key]; ok {
		return value
	}
	return otherwise
}

func (k *keys) number(key string, otherwise, least, most int64) int64 {
	k.known[key] = true
	text, ok := k.given[key]
	if !ok {
		return otherwise
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if (err != nil || value < least || value > most) && k.wrong == nil {
		k.wrong = usageError(fmt.Sprintf("%s: %s is not in %d..%d", key, text, least, most))
	}
	return value
}

func (k *keys) count(key string, otherwise, least, most int) int {
	return int(k.number(key, int64(otherwise), int64(least), int64(most)))
}

// workers are the threads that may run goroutines at once: `workers`, or as many as Go takes.
func (k *keys) workers() int { return k.count("workers", runtime.GOMAXPROCS(0), 1, 1024) }

func (k *keys) err() error {
	if k.wrong != nil {
		return k.wrong
	}
	for key := range k.given {
		if !k.known[key] {
			return usageError(key + ": this workload has no such key")
		}
	}
	return nil
}
