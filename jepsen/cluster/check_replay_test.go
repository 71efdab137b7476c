package cluster

import "testing"

func TestReplay(t *testing.T) {
	whole := []string{"1 cluster.init/1 -", "2 server.update/1 r0 x new-x", "5 server.update/1 r1 x w1", "6 state.checkpoint/1 -", "7 server.update/1 r2 x w2"}
	rest := whole[2:]
	for name, c := range map[string]struct {
		ops, log []string
		want     []string
	}{
		"no log": {want: []string{"there is no log"}},
		"all is well": {log: whole, ops: []string{
			"read x register 0-1 ok @1", "read x new-x 0-1 ok @2", "write x w1 0-1 ok @5", "read x w1 0-1 ok @5", "read x w1 0-1 ok @6", "write x w2 0-1 ok @9", "read x w2 0-1 ok @9", "scan - x=w1,y=register 0-1 ok @6"}},
		"another register, not known to the log": {log: whole, ops: []string{"read y register 0-1 ok @7"}},
		"unknown, and done":                      {log: whole, ops: []string{"write x w1 0-1 info"}},
		"unknown, and not done":                  {log: whole, ops: []string{"write x w8 0-1 info"}},
		"failed, and not done":                   {log: whole, ops: []string{"write x w8 0-1 fail"}},
		"a read without an answer":               {log: whole, ops: []string{"read x - 0-1 fail", "scan - - 0-1 info"}},
		"before the log begins":                  {log: rest, ops: []string{"write x w0 0-1 ok @3", "read x w0 0-1 ok @4", "read x new-x 0-1 ok @2"}},
		"offered twice, done once":               {log: append(whole, "8 server.update/1 r1 x w1"), ops: []string{"write x w1 0-1 ok @5", "read x w2 0-1 ok @8"}},
		"lost":                                   {log: whole, ops: []string{"write x w8 0-1 ok @6"}, want: []string{"w8 was acknowledged at index 6 and is not in the log"}},
		"done though it failed":                  {log: whole, ops: []string{"write x w1 0-1 fail"}, want: []string{"w1 was said to have failed (503 ) and stands in the log at 5"}},
		"acknowledged too early":                 {log: whole, ops: []string{"write x w2 0-1 ok @6"}, want: []string{"w2 was acknowledged at index 6 and stands in the log at 7"}},
		"done twice": {log: append(whole, "8 server.update/1 r9 x w1"), ops: []string{"write x w1 0-1 ok @5"},
			want: []string{"w1 was asked for once and stands in the log 2 times, first at 5 and 8"}},
		"unknown, and done twice": {log: append(whole, "8 server.update/1 r9 x w1"), ops: []string{"write x w1 0-1 info"}, want: []string{"2 times"}},
		"read too old":            {log: whole, ops: []string{"read x w1 0-1 ok @7"}, want: []string{"x at index 7 was read as w1, and the last write before, at 7, is w2"}},
		"read too new":            {log: whole, ops: []string{"read x w2 0-1 ok @6"}, want: []string{"x at index 6 was read as w2, and the last write before, at 5, is w1"}},
		"read of nobody":          {log: whole, ops: []string{"read y w9 0-1 ok @6"}, want: []string{"y at index 6 was read as w9, and nothing was written before"}},
		"scan too old":            {log: whole, ops: []string{"scan - y=register,x=w1 0-1 ok @7"}, want: []string{"x at index 7 was read as w1"}},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts(t, Replay{}.Check(Evidence{Ops: story(t, c.ops...), Log: diary(t, c.log...)}), c.want...)
		})
	}
}

// TestReplayOfTheRest: of a log whose beginning is gone, it says what is sure
// all the same: what was asked for when the log had begun.
func TestReplayOfTheRest(t *testing.T) {
	rest := []string{"5 server.update/1 r1 x w1", "6 server.update/1 r2 x w2", "8 server.update/1 r3 x w3"}
	for name, c := range map[string]struct {
		ops  []string
		want []string
	}{
		"an entry repeats one that is gone": {ops: []string{"write x w1 0-5 ok @2", "write x w0 6-7 ok @4", "read x w0 8-9 ok @5", "write x w2 10-11 ok @6"}},
		"nobody knows the value before":     {ops: []string{"read x w0 0-1 ok @5"}},
		"lost":                              {ops: []string{"read x w1 0-1 ok @5", "write x w9 2-3 ok @7"}, want: []string{"w9 was acknowledged"}},
		"perhaps before the log began":      {ops: []string{"read x w1 0-3 ok @5", "write x w9 2-3 ok @7"}},
		"acknowledged too early":            {ops: []string{"read x w1 0-1 ok @5", "write x w2 2-3 ok @5"}, want: []string{"w2 was acknowledged at index 5 and stands in the log at 6"}},
		"read too old": {ops: []string{"read x w1 0-1 ok @5", "write x w2 2-3 ok @6", "read x w1 4-5 ok @7"},
			want: []string{"x at index 7 was read as w1, and the last write before, at 6, is w2"}},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts(t, Replay{}.Check(Evidence{Ops: story(t, c.ops...), Log: diary(t, rest...)}), c.want...)
		})
	}
}

func TestReplayOfWhatIsNoLog(t *testing.T) {
	log := diary(t, "1 cluster.init/1 -", "2 server.update/1 r1 x w1")
	log[1].Body = []byte("{")
	verdicts(t, Replay{}.Check(Evidence{Log: log}), "the log is not readable: index 2")
}

func TestRenames(t *testing.T) {
	log := diary(t, "1 cluster.init/1 r0", "2 server.update/1 r1 x w1", "3 server.update/1 r1 x w1", "4 server.update/1 r2 y w2",
		"5 server.update/1 - x w3", "6 server.delete/1 r4", "7 server.update/1 r5")
	log[4].Request = "" // nobody's request: each counts
	log = append(log, LogEntry{Index: 8, Kind: log[4].Kind, Body: log[4].Body})
	got, err := renames(log)
	if err != nil {
		t.Fatal(err)
	}
	want := []rename{{server: "x", name: "w1"}, {server: "y", name: "w2"}, {server: "x", name: "w3"}, {server: "x", name: "w3"}}
	at := []uint64{2, 4, 5, 8}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i].server != want[i].server || got[i].name != want[i].name || got[i].Index != at[i] {
			t.Errorf("%d: %+v", i, got[i])
		}
	}
}
