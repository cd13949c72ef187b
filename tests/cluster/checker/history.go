package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// A line of a history: an operation begins (do is there) or has ended (end is there). tests/cluster/README.md tells the form.
type line struct {
	T     int64   `json:"t"`
	Op    int64   `json:"op"`
	Key   string  `json:"key"`
	Do    string  `json:"do"`
	X     int64   `json:"x"`
	End   string  `json:"end"`
	At    *int64  `json:"at"`
	Value []int64 `json:"value"`
}

type ending int

const (
	pending ending = iota // no end: killed meanwhile, or reported as unknown; it may be applied at any later time
	done                  // acknowledged
	refused               // reported as not applied, now or ever
)

// What somebody did to the list under one key: an add of an element, or a read of all of it.
type operation struct {
	client     int
	key        string
	add        bool
	x          int64 // what is added
	call, back int64 // ns
	how        ending
	at         int64   // an add that is done: how many elements were there before
	value      []int64 // a read that is done
}

// readHistory reads what one client wrote. A last line without its end was cut off as the client was killed.
func readHistory(in io.Reader, client int) ([]operation, error) {
	var all []operation
	open := map[int64]int{}
	reader := bufio.NewReader(in)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if l.Do != "" {
			if l.Do != "add" && l.Do != "read" {
				return nil, fmt.Errorf("line %d: '%s' is neither add nor read", number, l.Do)
			}
			if _, twice := open[l.Op]; twice {
				return nil, fmt.Errorf("line %d: operation %d begins again", number, l.Op)
			}
			open[l.Op] = len(all)
			all = append(all, operation{client: client, key: l.Key, add: l.Do == "add", x: l.X, call: l.T})
			continue
		}
		i, began := open[l.Op]
		if !began {
			return nil, fmt.Errorf("line %d: operation %d has not begun", number, l.Op)
		}
		delete(open, l.Op)
		if err := all[i].finish(l); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
}

func (o *operation) finish(l line) error {
	o.back = l.T
	switch l.End {
	case "ok":
		o.how = done
		o.value = l.Value
		if o.add {
			if l.At == nil {
				return fmt.Errorf("an add that is ok needs its 'at'")
			}
			o.at = *l.At
		}
	case "unknown":
		o.how = pending
	case "lost", "failed":
		o.how = refused
	default:
		return fmt.Errorf("'%s' is none of ok, unknown, lost, failed", l.End)
	}
	return nil
}

func readFiles(names []string) ([]operation, error) {
	var all []operation
	for client, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		some, err := readHistory(file, client)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func byKey(all []operation) map[string][]operation {
	keys := map[string][]operation{}
	for _, o := range all {
		keys[o.key] = append(keys[o.key], o)
	}
	return keys
}
