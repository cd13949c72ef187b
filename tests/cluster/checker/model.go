package main

import (
	"fmt"
	"math"

	"github.com/anishathalye/porcupine"
)

// The list that the operations are on, as porcupine walks through it: how long it is, and a hash of what is in it in its order.
type state struct {
	length int64
	hash   uint64
}

func (s state) with(x int64) state {
	h := s.hash ^ uint64(x)
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9 // splitmix64's finaliser
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	h ^= h >> 31
	return state{s.length + 1, h + 0x9e3779b97f4a7c15}
}

func stateOf(value []int64) state {
	s := state{}
	for _, x := range value {
		s = s.with(x)
	}
	return s
}

type input struct {
	add bool
	x   int64
}

type output struct {
	at   int64 // of an add: how many were there before; -1: nobody said
	read state
}

var list = porcupine.Model{
	Init: func() interface{} { return state{} },
	Step: func(before, in, out interface{}) (bool, interface{}) {
		s, i, o := before.(state), in.(input), out.(output)
		if !i.add {
			return s == o.read, s
		}
		return o.at < 0 || o.at == s.length, s.with(i.x)
	},
	Hash: func(s interface{}) uint64 { return s.(state).hash },
	DescribeOperation: func(in, out interface{}) string {
		i, o := in.(input), out.(output)
		switch {
		case !i.add:
			return fmt.Sprintf("read: %d elements (%x)", o.read.length, o.read.hash&0xffff)
		case o.at < 0:
			return fmt.Sprintf("add %d: unknown", i.x)
		default:
			return fmt.Sprintf("add %d: the %d. of all", i.x, o.at+1)
		}
	},
	DescribeState: func(s interface{}) string {
		return fmt.Sprintf("%d elements (%x)", s.(state).length, s.(state).hash&0xffff)
	},
}

// events makes porcupine's history of what was done to one key. Two things are told at once, without a search: the second string says
// that an element is there whose add was reported as not applied.
//
// An add that may be applied at any time later would double the search each time. So, where it changes no verdict:
//   - seen in some read, it was applied before the first such read was over, and its place in the list is known;
//   - seen in none, although somebody read after all others were done: it is later than all of it, and is left out.
func events(all []operation, cutShort bool) ([]porcupine.Operation, string) {
	type sighting struct{ back, at int64 }
	seen := map[int64]sighting{}
	lastBack, lastRead := int64(math.MinInt64), int64(math.MinInt64)
	for _, o := range all {
		if o.how != done {
			continue
		}
		if o.add {
			lastBack = max(lastBack, o.back)
			continue
		}
		lastRead = max(lastRead, o.call)
		for at, x := range o.value {
			if s, before := seen[x]; !before || o.back < s.back {
				seen[x] = sighting{o.back, int64(at)}
			}
		}
	}
	var h []porcupine.Operation
	for _, o := range all {
		e := porcupine.Operation{ClientId: o.client, Input: input{o.add, o.x}, Call: o.call, Return: o.back}
		s, isSeen := seen[o.x]
		switch {
		case !o.add && o.how == done:
			e.Output = output{-1, stateOf(o.value)}
		case !o.add:
			continue
		case o.how == done:
			e.Output = output{o.at, state{}}
		case o.how == refused && isSeen:
			return nil, fmt.Sprintf("%d was added, although its add was reported as not applied", o.x)
		case o.how == refused:
			continue
		case cutShort && isSeen:
			e.Output, e.Return = output{s.at, state{}}, s.back
		case cutShort && lastRead > lastBack:
			continue
		default:
			e.Output, e.Return = output{-1, state{}}, math.MaxInt64
		}
		h = append(h, e)
	}
	return h, ""
}

func max(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}
