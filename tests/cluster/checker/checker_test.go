package main

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"
)

func verdictOf(t *testing.T, clients ...string) string {
	t.Helper()
	var all []operation
	for i, text := range clients {
		some, err := readHistory(strings.NewReader(text), i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	short, long := judge(all, time.Minute, "", true), judge(all, time.Minute, "", false)
	if short.Linearizable != long.Linearizable {
		t.Errorf("cut short it is '%s', in full '%s'", short.Linearizable, long.Linearizable)
	}
	return short.Linearizable
}

// add and read are histories in short: when it began, when it ended and how.
func add(op, x, from, to, at int64) string {
	return fmt.Sprintf(`{"t":%d,"op":%d,"key":"k","do":"add","x":%d}`+"\n"+`{"t":%d,"op":%d,"end":"ok","at":%d}`+"\n", from, op, x, to, op, at)
}

func addEnds(op, x, from, to int64, how string) string {
	return fmt.Sprintf(`{"t":%d,"op":%d,"key":"k","do":"add","x":%d}`+"\n"+`{"t":%d,"op":%d,"end":"%s"}`+"\n", from, op, x, to, op, how)
}

func addNeverEnds(op, x, from int64) string {
	return fmt.Sprintf(`{"t":%d,"op":%d,"key":"k","do":"add","x":%d}`+"\n", from, op, x)
}

func read(op, from, to int64, value string) string {
	return fmt.Sprintf(`{"t":%d,"op":%d,"key":"k","do":"read"}`+"\n"+`{"t":%d,"op":%d,"end":"ok","value":%s}`+"\n", from, op, to, op, value)
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name, must string
		clients    []string
	}{
		{"one after the other", "yes", []string{add(1, 10, 0, 1, 0) + add(2, 11, 2, 3, 1) + read(3, 4, 5, "[10,11]")}},
		{"at the same time, in either order", "yes", []string{add(1, 10, 0, 5, 1), add(1, 20, 1, 4, 0) + read(2, 6, 7, "[20,10]")}},
		{"an update is lost", "no", []string{add(1, 10, 0, 1, 0), add(1, 20, 2, 3, 0) + read(2, 4, 5, "[20]")}},
		{"an update is lost that nobody read", "no", []string{add(1, 10, 0, 1, 0), add(1, 20, 2, 3, 0)}},
		{"an acknowledged element is missing at the end", "no", []string{add(1, 10, 0, 1, 0) + read(2, 2, 3, "[]")}},
		{"a read is stale", "no", []string{add(1, 10, 0, 1, 0) + add(2, 11, 2, 3, 1), read(1, 4, 5, "[10]")}},
		{"a read forgets what one before it saw", "no", []string{add(1, 10, 0, 9, 0), read(1, 1, 2, "[10]") + read(2, 3, 4, "[]")}},
		{"one element twice", "no", []string{add(1, 10, 0, 1, 0) + read(2, 2, 3, "[10,10]")}},
		{"an unknown one twice", "no", []string{addEnds(1, 10, 0, 1, "unknown") + read(2, 2, 3, "[10,10]")}},
		{"an element that nobody added", "no", []string{read(1, 0, 1, "[7]")}},
		{"the order is another one later", "no", []string{add(1, 10, 0, 1, 0) + add(2, 11, 2, 3, 1) + read(3, 4, 5, "[11,10]")}},
		{"acknowledged at another place than it has", "no", []string{add(1, 10, 0, 1, 5) + read(2, 2, 3, "[10]")}},
		{"lost, and there", "no", []string{addEnds(1, 10, 0, 1, "lost") + read(2, 2, 3, "[10]")}},
		{"failed, and there", "no", []string{addEnds(1, 10, 0, 1, "failed") + read(2, 2, 3, "[10]")}},
		{"lost, and not there", "yes", []string{addEnds(1, 10, 0, 1, "lost") + read(2, 2, 3, "[]")}},
		{"unknown, and applied", "yes", []string{addEnds(1, 10, 0, 1, "unknown") + read(2, 2, 3, "[10]")}},
		{"unknown, and not applied", "yes", []string{addEnds(1, 10, 0, 1, "unknown") + read(2, 2, 3, "[]")}},
		{"unknown, and applied much later", "yes", []string{addEnds(1, 10, 0, 1, "unknown") + read(2, 2, 3, "[]") + read(3, 4, 5, "[10]")}},
		{"unknown, applied and gone again", "no", []string{addEnds(1, 10, 0, 1, "unknown") + read(2, 2, 3, "[10]") + read(3, 4, 5, "[]")}},
		{"unknown, seen before it was begun", "no", []string{read(1, 0, 1, "[10]"), addEnds(1, 10, 2, 3, "unknown")}},
		{"killed meanwhile, and applied", "yes", []string{addNeverEnds(1, 10, 0), add(1, 20, 5, 6, 1) + read(2, 7, 8, "[10,20]")}},
		{"killed meanwhile, and never read", "yes", []string{addNeverEnds(1, 10, 0), add(1, 20, 5, 6, 1)}},
		{"killed meanwhile, and overwritten", "no", []string{addNeverEnds(1, 10, 0), add(1, 20, 5, 6, 1) + read(2, 7, 8, "[20]")}},
		{"cut off in the middle of a line", "yes", []string{add(1, 10, 0, 1, 0) + `{"t":5,"op":2,"ke`}},
	} {
		if got := verdictOf(t, c.clients...); got != c.must {
			t.Errorf("%s: '%s' instead of '%s'", c.name, got, c.must)
		}
	}
}

func TestKeysAreJudgedEachForItself(t *testing.T) {
	other := strings.ReplaceAll(add(3, 30, 0, 1, 0), `"k"`, `"l"`)
	if got := verdictOf(t, add(1, 10, 0, 1, 0)+other); got != "yes" {
		t.Error(got)
	}
}

func TestWhatIsNoHistoryIsAnError(t *testing.T) {
	for _, text := range []string{
		"no json\n",
		`{"t":1,"op":1,"key":"k","do":"erase"}` + "\n",
		`{"t":1,"op":1,"end":"ok","at":0}` + "\n",
		addNeverEnds(1, 10, 0) + addNeverEnds(1, 11, 0),
		addNeverEnds(1, 10, 0) + `{"t":1,"op":1,"end":"maybe"}` + "\n",
		addNeverEnds(1, 10, 0) + `{"t":1,"op":1,"end":"ok"}` + "\n",
	} {
		if _, err := readHistory(strings.NewReader(text), 0); err == nil {
			t.Errorf("accepted: %s", text)
		}
	}
}

// random makes what a few clients do to a list that is right, on which some adds are reported as unknown or lost; if `broken` then one
// thing at random goes wrong.
func random(r *rand.Rand, broken bool) []operation {
	var all []operation
	var value []int64
	wrong := -1
	n := 4 + r.Intn(6)
	if broken {
		wrong = r.Intn(n)
	}
	for i := 0; i < n; i++ {
		at := int64(10 * i) // when it takes effect; its begin and end are around that, and overlap with others'
		o := operation{client: i, key: "k", call: at - int64(r.Intn(25)), back: at + int64(r.Intn(25)) + 1, how: done}
		o.add, o.x = r.Intn(3) != 0, int64(100+i)
		if o.add {
			o.at = int64(len(value))
			switch r.Intn(4) {
			case 0:
				o.how = pending
				if r.Intn(2) == 0 {
					value = append(value, o.x)
				}
			case 1:
				if r.Intn(3) == 0 {
					o.how = refused
					break
				}
				value = append(value, o.x)
			default:
				value = append(value, o.x)
			}
		}
		if i == wrong && len(value) > 0 {
			drop := r.Intn(len(value))
			value = append(append([]int64{}, value[:drop]...), value[drop+1:]...)
		}
		if !o.add {
			o.value = append([]int64{}, value...)
		}
		all = append(all, o)
	}
	if r.Intn(4) != 0 {
		all = append(all, operation{client: n, key: "k", call: 1000, back: 1001, how: done, value: append([]int64{}, value...)})
	}
	return all
}

func TestCuttingTheSearchShortChangesNoVerdict(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	count := map[string]int{}
	for i := 0; i < 6000; i++ {
		broken := i%2 == 1
		all := random(r, broken)
		short, long := judge(all, time.Minute, "", true), judge(all, time.Minute, "", false)
		if short.Linearizable != long.Linearizable {
			t.Fatalf("cut short '%s', in full '%s': %+v", short.Linearizable, long.Linearizable, all)
		}
		if !broken && short.Linearizable != "yes" {
			t.Fatalf("a right history is '%s': %+v", short.Linearizable, all)
		}
		count[short.Linearizable]++
	}
	if count["no"] < 1500 {
		t.Errorf("only %d of 3000 broken histories were found out", count["no"])
	}
}
