// Package disk is the disk of the fault harness: a folder that a node takes for
// its disk, and that forgets what was not synced when the power fails, refuses,
// hangs, fills up, tears writes, flips bits, and is put back to an earlier day
// when it is told to.
//
//	d, err := disk.Attach(ctx, o.Socket(), clock.Real{})
//	id, err := d.Add(ctx, disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Sync}, Times: 1, Drop: true})
//	effect, err := d.Lift(ctx, id)     // effect.Hits says whether anything came of it
//	err = d.Cut(ctx)                   // nothing is written or answered from now on
//	... kill the node ...
//	lost, err := d.PowerLoss(ctx, disk.Loss{Keep: disk.KeepTorn, Unit: 512})
//
// The file system itself is in package drive and runs in a process of its own
// on the node's host. This package is what the harness links: the words of the
// two, and a client. A harness that served the file system itself would hang
// with it: a goroutine that touches the mount holds a thread until another
// thread serves it, and a process that hangs in it cannot be killed.
//
// Invariant: the client never touches the mount; all that it does goes over the
// control socket, in bounded time.
//
// It must not know Kvorum, nor how nodes are started.
package disk
