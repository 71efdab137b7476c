package testbed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// privateFolders are a host's own, below its folder, in the place of the
// machine's.
var privateFolders = []struct{ source, target string }{
	{"run", "/run"},
	{"etc-libvirt", "/etc/libvirt"},
	{"lib-libvirt", "/var/lib/libvirt"},
	{"cache-libvirt", "/var/cache/libvirt"},
	{"log-libvirt", "/var/log/libvirt"},
}

// privateFiles are likewise a host's own. Without them each look-up of a name,
// and libvirt looks up its own at each start of a guest, would wait for name
// servers that the host does not reach.
var privateFiles = []struct{ source, target string }{
	{"hosts", "/etc/hosts"},
	{"resolv.conf", "/etc/resolv.conf"},
	// One kernel, but each host boots on its own.
	{"boot-id", "/proc/sys/kernel/random/boot_id"},
}

// mountScript runs once in a host's new namespaces: $1 is the host's folder,
// $2 its name, $3 the folders that are to be its own, then pairs of source and
// target.
//
// Copies of others' pinned namespaces, also of other racks, are dropped first:
// they would keep those alive as long as this host lives. One may vanish
// meanwhile, which is as good. /sys is mounted anew, because
// it shows the links of the namespace in which it was mounted; the cgroup tree
// below it is carried over.
const mountScript = `set -eu
dir=$1 name=$2 own=$3
shift 3
echo "$name" >/proc/sys/kernel/hostname
awk '/ - nsfs / {print $5}' /proc/self/mountinfo | sort -ur | while read -r m; do umount -l "$m" 2>/dev/null || :; done
if mountpoint -q /sys/fs/cgroup; then
    mount --rbind /sys/fs/cgroup "$dir/cgroup"
    mount -t sysfs sysfs /sys
    mount --rbind "$dir/cgroup" /sys/fs/cgroup
    umount -R -l "$dir/cgroup"
else
    mount -t sysfs sysfs /sys
fi
# Whether a machine has KVM, and one that works for whom, differs from machine
# to machine; a rack's hosts are alike, and have none.
if [ -e /dev/kvm ]; then
    mount -t tmpfs -o mode=0755 tmpfs "$dir/dev"
    for f in /dev/*; do
        t=$dir$f
        if [ "$f" = /dev/kvm ]; then continue
        elif [ -L "$f" ]; then cp -P "$f" "$t"
        elif [ -d "$f" ]; then mkdir "$t"; mount --rbind "$f" "$t"
        else : >"$t"; mount --bind "$f" "$t"
        fi
    done
    mount --rbind "$dir/dev" /dev
    umount -R -l "$dir/dev"
fi
for f in $own; do
    mkdir -p "$dir/own$f/upper" "$dir/own$f/work"
    chmod --reference="$f" "$dir/own$f/upper"
    chown --reference="$f" "$dir/own$f/upper"
    mount -t overlay -o "lowerdir=$f,upperdir=$dir/own$f/upper,workdir=$dir/own$f/work" overlay "$f"
done
while [ $# -ge 2 ]; do
    # A file behind a link into the machine's /run is gone by now, and not missed.
    if [ -e "$2" ]; then mount --bind "$1" "$2"; fi
    shift 2
done
`

// mount makes the host's folders and the namespaces in which they are seen,
// and pins these.
func (h *Host) mount(ctx context.Context) error {
	if err := h.folders(); err != nil {
		return err
	}
	if err := h.rack.nameHosts(); err != nil {
		return err
	}
	s := &h.rack.state
	for _, kind := range []string{"mnt", "uts"} {
		if err := os.WriteFile(s.pin(h.name, kind), nil, 0o644); err != nil {
			return errs.E("testbed.mount", errs.Internal, "", err)
		}
	}
	argv := []string{
		"nsenter", "--net=" + netnsPath(h.Netns()), "--",
		"unshare", "--mount=" + s.pin(h.name, "mnt"), "--uts=" + s.pin(h.name, "uts"), "--propagation", "private", "--",
		"sh", "-c", mountScript, "mount", h.dir, h.name, strings.Join(s.Own, " "),
	}
	for _, p := range slices.Concat(privateFolders, privateFiles) {
		if _, err := os.Stat(p.target); err == nil {
			argv = append(argv, filepath.Join(h.dir, p.source), p.target)
		}
	}
	return h.rack.run(ctx, argv...)
}

func (h *Host) folders() error {
	all := []string{"cgroup", "dev", "data", "log", "run/lock", "etc-libvirt/qemu", "log-libvirt/qemu"}
	for _, p := range privateFolders {
		all = append(all, p.source)
	}
	for _, name := range all {
		if err := os.MkdirAll(filepath.Join(h.dir, name), 0o755); err != nil {
			return errs.E("testbed.mount", errs.Internal, "", err)
		}
	}
	// The outside need not serve names: then it refuses at once.
	resolv := fmt.Sprintf("nameserver %v\noptions timeout:1 attempts:1\n", nth(h.rack.state.Range, -2))
	if err := os.WriteFile(filepath.Join(h.dir, "resolv.conf"), []byte(resolv), 0o644); err != nil {
		return errs.E("testbed.mount", errs.Internal, "", err)
	}
	boot, err := newUUID()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(h.dir, "boot-id"), []byte(boot+"\n"), 0o644); err != nil {
		return errs.E("testbed.mount", errs.Internal, "", err)
	}
	for name, text := range h.libvirtConfig() {
		if err := os.WriteFile(filepath.Join(h.dir, "etc-libvirt", name), []byte(text), 0o644); err != nil {
			return errs.E("testbed.mount", errs.Internal, "", err)
		}
	}
	return nil
}

// nameHosts tells all hosts each other's names. The files are written in
// place: what hosts see is bound to them.
func (r *Rack) nameHosts() error {
	r.mu.Lock()
	all := r.state.Hosts
	r.mu.Unlock()
	text := "127.0.0.1 localhost\n::1 localhost ip6-localhost\n"
	for _, h := range all {
		text += fmt.Sprintf("%v %s\n", h.Address, h.Name)
	}
	for _, h := range all {
		if err := os.WriteFile(filepath.Join(r.state.hostDir(h.Name), "hosts"), []byte(text), 0o644); err != nil {
			return errs.E("testbed.mount", errs.Internal, "", err)
		}
	}
	return nil
}

// libvirtConfig is what lets a libvirtd run without a service manager, beside
// others on the same kernel.
func (h *Host) libvirtConfig() map[string]string {
	qemu := "cgroup_controllers = []\nsecurity_driver = \"none\"\nremember_owner = 0\nnamespaces = []\n"
	if u := h.rack.state.QemuUser; u != "" {
		qemu += fmt.Sprintf("user = %q\n", u)
	}
	return map[string]string{
		"qemu.conf": qemu,
		"libvirtd.conf": fmt.Sprintf("host_uuid = %q\n", h.uuid) +
			"auth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\nlog_outputs = \"3:stderr\"\n",
		"virtlogd.conf": "",
	}
}
