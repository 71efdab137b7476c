// Package heap tells the garbage collector of a process that has little in
// memory and makes much garbage not to run all the time: it may let a fixed
// room of garbage stand, whatever is alive. Beyond that the runtime's own rule
// counts, so a large state costs no more memory than without.
//
// Invariant: between two collections the heap grows by the given room or by as
// much as is alive, whichever is more. Whoever sets GOGC is obeyed instead.
//
//	heap.LeaveRoom(heap.ControlRoom)
package heap
