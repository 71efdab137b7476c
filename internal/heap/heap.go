package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// ControlRoom is what a control node gets, in bytes.
const ControlRoom = 128 << 20

// usual is the percentage that the runtime begins with.
const usual = 100

var once sync.Once

// LeaveRoom sets the room, in bytes, for the life of the process; only the
// first call counts. With GOGC in the environment it does nothing.
func LeaveRoom(room uint64) {
	once.Do(func() {
		if os.Getenv("GOGC") == "" {
			follow(room)
		}
	})
}

// follow sets the percentage anew after each collection, because it counts
// from what was alive then.
func follow(room uint64) {
	debug.SetGCPercent(percent(room, alive()))
	type mark struct{ _ *mark } // with a pointer, so that it is an object of its own
	runtime.AddCleanup(new(mark), follow, room)
}

// percent is how much of what is alive the heap may grow by.
func percent(room, alive uint64) int {
	return int(max(usual, room*100/max(alive, 1<<20)))
}

// alive is how many bytes the last collection found in use.
func alive() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
