package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// work runs callers until they have done ops operations between them, or one
// of them fails. Without ops they go on for span.
func work(callers, ops int, span time.Duration, do func(ctx context.Context, i int) error) (done, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var next, count atomic.Int64
	var over atomic.Bool
	var first sync.Once
	var failed error
	var wg sync.WaitGroup
	runtime.GC() // what was made for the measurement is not to be paid for in it
	watch := clock.Real{}
	start, used := watch.Mono(), cpuSeconds()
	for range callers {
		wg.Go(func() {
			for !over.Load() {
				i := int(next.Add(1)) - 1
				if ops > 0 && i >= ops {
					return
				}
				if err := do(ctx, i); err != nil {
					first.Do(func() { failed = err })
					over.Store(true)
					cancel()
					return
				}
				count.Add(1)
			}
		})
	}
	if ops == 0 {
		<-watch.After(span)
		over.Store(true)
	}
	wg.Wait()
	return done{Ops: int(count.Load()), Seconds: (watch.Mono() - start).Seconds(), CPU: cpuSeconds() - used}, failed
}

// cpuSeconds is the processor time that this process has used.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// profiled does f and writes its CPU profile to a file, if one is named.
func profiled(path string, f func() error) error {
	if path == "" {
		return f()
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}
