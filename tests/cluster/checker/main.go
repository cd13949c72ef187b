// cluster_checker [-timeout D] [-draw FILE] HISTORY...: is what these clients did to their lists linearizable? One history is what one
// client wrote (tests/cluster/README.md). Prints one line of JSON. Exit: 0 yes, 1 no, 2 an error, 3 not decided within the timeout.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

type verdict struct {
	Linearizable string   `json:"linearizable"` // yes, no, undecided
	Keys         int      `json:"keys"`
	Operations   int      `json:"operations"`
	Broken       []string `json:"broken"` // keys, with why where it is told without a search
}

func judge(all []operation, timeout time.Duration, draw string, cutShort bool) verdict {
	v := verdict{Linearizable: "yes", Operations: len(all), Broken: []string{}}
	keys := byKey(all)
	v.Keys = len(keys)
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	sort.Strings(names)
	until := time.Now().Add(timeout)
	for _, name := range names {
		history, why := events(keys[name], cutShort)
		if why != "" {
			v.Linearizable = "no"
			v.Broken = append(v.Broken, name+": "+why)
			continue
		}
		left := time.Until(until)
		if left <= 0 {
			left = time.Millisecond // 0 would be for ever
		}
		result, info := porcupine.CheckOperationsVerbose(list, history, left)
		switch {
		case result == porcupine.Illegal:
			v.Linearizable = "no"
			v.Broken = append(v.Broken, name)
			if draw != "" {
				if err := porcupine.VisualizePath(list, info, draw); err != nil {
					fmt.Fprintln(os.Stderr, "cluster_checker:", err)
				}
				draw = ""
			}
		case result == porcupine.Unknown && v.Linearizable == "yes":
			v.Linearizable = "undecided"
		}
	}
	return v
}

func main() {
	timeout := flag.Duration("timeout", time.Minute, "for all keys together")
	draw := flag.String("draw", "", "the first key that is not linearizable, as a page")
	flag.Parse()
	all, err := readFiles(flag.Args())
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no operation in %d files", flag.NArg())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster_checker:", err)
		os.Exit(2)
	}
	v := judge(all, *timeout, *draw, true)
	text, _ := json.Marshal(v)
	fmt.Println(string(text))
	os.Exit(map[string]int{"yes": 0, "no": 1, "undecided": 3}[v.Linearizable])
}
