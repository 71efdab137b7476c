// Package imagestore keeps the bytes of images in one directory and judges whether bytes are safe to give to a
// hypervisor.
//
// Invariant: a file named <sha256> holds exactly the bytes with that hash, complete and on stable storage. A file gets
// its name only after its bytes were hashed and synced; a crash leaves nothing but temporary files, which the next Open
// removes.
//
// It must not know what an image record is, who may read it, or where replicas are. Names come in as 64 hex digits and
// nothing else reaches the file system, so a name can't lead out of the directory.
//
// Check reads an image's first bytes and its tables itself. No tool of QEMU ever sees bytes that Check has not
// accepted, and none is ever asked to guess a format: see Check.
package imagestore
