// Package command holds everything that can change the replicated state: one
// file a command, with its type, its Apply, its rules in words, its golden
// example and its workload for the simulator.
//
// Invariant: Apply is a function of the command, the transaction and the
// entry's stamp, and of nothing else: no clock, no random source, no I/O, no
// range over a map where order shows, integers only. Whatever is not
// deterministic (ids, placement, sealed secrets) is already in the command.
//
// A released kind is frozen: its type and its Apply keep their meaning for
// ever, because old log entries are replayed by new programs. New meaning is a
// new kind with the next number behind the slash.
//
// It must not know raft, HTTP, placement or any driver.
package command
