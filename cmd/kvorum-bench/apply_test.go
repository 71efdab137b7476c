package main

import (
	"syscall"
	"testing"

	"github.com/kvorum/kvorum/fsm"
)

func cpuTime() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkApply measures the state machine alone: batches as 256 callers
// make them, without a log.
func BenchmarkApply(b *testing.B) {
	for _, r := range proposeRows {
		if r.callers != 256 {
			continue
		}
		b.Run(r.name, func(b *testing.B) { benchmarkApply(b, r.load()) })
	}
}

func benchmarkApply(b *testing.B, w workload) {
	const batch = 128
	m := fsm.New(false)
	index := uint64(0)
	apply := func(list ...[]byte) {
		in := make([]fsm.Entry, len(list))
		for i, data := range list {
			index++
			in[i] = fsm.Entry{Index: index, Term: 1, At: int64(index) * 1e6, Data: data}
		}
		for _, res := range m.ApplyBatch(in) {
			if res.Err != nil {
				b.Fatal(res.Err)
			}
		}
	}
	if err := w.prepare(func(data []byte) error { apply(data); return nil }); err != nil {
		b.Fatal(err)
	}
	data := make([][]byte, b.N)
	size := 0
	for i := range data {
		data[i] = w.command(i%256, uint64(i/256))
		size += len(data[i])
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for len(data) > 0 {
		n := min(batch, len(data))
		apply(data[:n]...)
		data = data[n:]
	}
	b.ReportMetric(float64(size)/float64(b.N), "entry-B")
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}
