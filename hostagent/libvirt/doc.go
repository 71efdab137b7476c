// Package libvirt is the hypervisor driver for QEMU and KVM: it turns what the
// agent wants of a guest into a libvirt domain with its disks, and tells what
// libvirt sees of it.
//
// Invariant: it touches only domains that carry the project's metadata element
// with the domain's own UUID in it. A domain that lacks the element, or that
// has another guest's (a clone), is neither listed nor changed, even when its
// name or UUID is one that the driver was asked for: such a call is refused.
//
// It must not know desired state, permits' meaning, networks beyond the names
// of a tap and its bridge, or the control plane. It never gives a file to
// libvirt or qemu-img without its format, so nothing ever guesses one.
//
// The part that decides (Spec to domain XML, image headers, disk layout) is
// plain Go. The part that talks to libvirt needs the build tag libvirt_dlopen:
// with it the library is loaded at run time, so building needs no headers.
// Without the tag Open refuses with errs.NotImplemented.
//
// # Files of a guest
//
//	<instances>/<uuid>/             0711 root
//	<instances>/<uuid>/disk         qcow2; over the cached image, if there is one
//	<instances>/<uuid>/disk.info    what disk was made from (JSON)
//	<instances>/<uuid>/console.log  serial console; console.log.0 and so on are older
//
// libvirt runs QEMU as another user (libvirt-qemu on Debian) and gives it the
// disk when the guest starts. The instances folder, the image cache and every
// folder above them must let others pass (mode 0711 or 0755), and cached images
// must be readable by others (0644): they are shared between guests, and
// libvirt takes them back to root whenever one of these stops. A cached image
// must stay where it is for as long as a guest's disk lies over it.
//
// # The console log's bound
//
// virtlogd writes the log and rotates it: 2 MiB and three older files unless
// /etc/libvirt/virtlogd.conf says otherwise (max_size, max_backups). That holds
// only while qemu.conf has stdio_handler = "logd", its default; with "file"
// QEMU writes without a bound. The driver cannot ask which one it is, so it
// looks at the sizes from time to time and cuts a log that is longer than
// Options.ConsoleMax, keeping its end. Both writers append, so a cut is safe
// under either.
//
// # Time
//
// A libvirt call cannot be cancelled. Each runs in a goroutine of its own, of
// which there are at most maxCalls; the caller leaves when its context ends.
// A call that is still under way then keeps its guest: until it returns, other
// changing calls for this guest are refused with errs.Busy, so that a late
// start can never follow a kill. Keepalives make libvirt give up on a daemon
// that no longer answers.
package libvirt
