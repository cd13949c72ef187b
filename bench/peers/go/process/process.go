// Package process reads what the kernel says about this process: memory, page tables, CPU time.
package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Memory is a snapshot of /proc/self/status, in bytes.
type Memory struct {
	Resident   int64
	Peak       int64
	PageTables int64
}

// ReadMemory ends the program when /proc cannot be read: a benchmark without its number is no result.
func ReadMemory() Memory {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		Fail(err)
	}
	defer file.Close()
	var memory Memory
	fields := map[string]*int64{"VmRSS": &memory.Resident, "VmHWM": &memory.Peak, "VmPTE": &memory.PageTables}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		target, wanted := fields[name]
		if !wanted {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			Fail(err)
		}
		*target = kilobytes * 1024
	}
	return memory
}

// CPUTime returns user and system time of all threads so far, in nanoseconds.
func CPUTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		Fail(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// Settle returns once the process has been quiet for 200 ms: the last goroutine is asleep, the collector is done.
func Settle() error {
	for tries := 0; tries < 50; tries++ {
		cpu := CPUTime()
		time.Sleep(200 * time.Millisecond)
		if CPUTime()-cpu < int64(10*time.Millisecond) {
			return nil
		}
	}
	return errors.New("the process did not come to rest within 10 s")
}

// Fail prints one line and exits 1.
func Fail(cause any) {
	fmt.Fprintln(os.Stderr, "error:", cause)
	os.Exit(1)
}
