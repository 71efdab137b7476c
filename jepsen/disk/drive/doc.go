// Package drive is the process that serves a disk of the fault harness: a FUSE
// file system that passes all through to a folder and keeps, for what is not
// synced, how it was before.
//
//	if len(os.Args) > 1 && os.Args[1] == disk.Serve {
//		os.Exit(drive.Main(os.Args[2:]))
//	}
//
// The folder behind always holds the newest state, so that reading costs
// nothing beyond the way here. Of what is not synced there is an undo: per file
// the bytes that were overwritten (pending), and for names the order of their
// changes (journal), with the files that lost their name in a limbo. A sync
// drops undo; a power loss applies it.
//
// Three locks, taken in this order: volume.gate, held shared by every
// operation and alone by what must see the disk at rest; volume.names over the
// tree and the journal; inode.mu over one file's bytes. Faults wait before any
// of them.
//
// Invariant: a power loss leaves what was synced, and of the rest only what the
// loss says may survive; nothing that this process answers after a cut, or
// writes, is seen by anybody.
//
// It must not know what is stored on the disk.
package drive
