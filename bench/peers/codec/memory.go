package main

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"unsafe"

	"github.com/hashicorp/memberlist"
)

// forgetBroadcasts empties the queue of what gossip would send, which quiet nodes never do.
func forgetBroadcasts(list *memberlist.Memberlist) {
	field := reflect.ValueOf(list).Elem().FieldByName("broadcasts")
	(*memberlist.TransmitLimitedQueue)(unsafe.Pointer(field.Pointer())).Prune(0)
}

// resident is the resident memory of this process in bytes.
func resident() int {
	text, err := os.ReadFile("/proc/self/statm")
	check(err)
	pages, err := strconv.Atoi(string(bytes.Fields(text)[1]))
	check(err)
	return pages * os.Getpagesize()
}

// memory is what a member takes in a memberlist node that has heard of so many by gossip, without the queue of what it would pass
// on. `resident` is what the process has grown by, as an operator sees it; `live` after garbage collection and with what is free
// given back, the least that the tables need.
func memory() {
	list := quietNode()
	runtime.GC()
	debug.FreeOSMemory()
	before := resident()
	// One member at a time: nothing of the messages is kept by this program.
	for number := 0; number < *members; number++ {
		one := aliveOf(number, 1)
		handleAlive(list, encoded(aliveKind, &one)[1:], sender)
		if number%1024 == 1023 {
			forgetBroadcasts(list)
		}
	}
	forgetBroadcasts(list)
	if list.NumMembers() != *members+1 {
		check(fmt.Errorf("%d members", list.NumMembers()))
	}
	results[fmt.Sprintf("memory_%d_resident_bytes_a_member", *members)] = float64(resident()-before) / float64(*members)
	runtime.GC()
	debug.FreeOSMemory()
	results[fmt.Sprintf("memory_%d_live_bytes_a_member", *members)] = float64(resident()-before) / float64(*members)
	check(list.Shutdown())
}
