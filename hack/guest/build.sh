#!/bin/sh
# build.sh OUTDIR: builds the small guest that tests and the demo boot, from Debian packages, without root mounts.
#
#   vmlinuz, initrd.gz   kernel and ramdisk, as a pair
#   disk.raw             a small ext2 disk for the pair: the guest counts its boots on it
#   guest.qcow2          a disk that boots by itself (MBR, syslinux, FAT) with the same kernel and ramdisk
#   manifest.json        sizes, checksums, versions
#
# Does nothing if OUTDIR already holds what these inputs give (versions of the packages used, files of this folder).
# The packages that must be installed are listed in the file `packages` beside this script.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
PATH=$PATH:/usr/sbin:/sbin
export PATH LC_ALL=C SOURCE_DATE_EPOCH=0 E2FSPROGS_FAKE_TIME=1
outputs="vmlinuz initrd.gz disk.raw guest.qcow2 manifest.json"
kernel_meta=linux-image-cloud-amd64
cmdline="console=ttyS0 quiet"

die() { echo "hack/guest: $*" >&2; exit 1; }

# The concrete, versioned package that the kernel's metapackage stands for.
kernel_package() {
    apt-cache depends "$kernel_meta" 2>/dev/null | awk '/Depends: linux-image-/{print $2; exit}'
}

candidate() {
    apt-cache policy "$1" | awk '/Candidate:/{print $2; exit}'
}

inputs() {
    echo "kernel $kernel $kernel_version"
    for p in busybox-static dropbear-bin libc6 syslinux; do
        dpkg-query -W -f '${Package} ${Version}\n' "$p" || die "package $p is not installed"
    done
    (cd "$here" && find . -type f ! -name '*.md' | sort | xargs sha256sum)
}

complete() {
    for f in $outputs; do [ -s "$out/$f" ] || return 1; done
}

fetch_kernel() {
    deb="$out/cache/${kernel}_${kernel_version}.deb"
    if [ ! -s "$deb" ]; then
        mkdir -p "$out/cache"
        rm -f "$out/cache/"*.deb
        (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$kernel=$kernel_version" >/dev/null)
        mv "$work"/*.deb "$deb"
    fi
    dpkg-deb -x "$deb" "$work/kernel"
    release=$(ls "$work/kernel/lib/modules")
    cp "$work/kernel/boot/vmlinuz-$release" "$work/vmlinuz"
}

# The wanted modules after all that they depend on, flat in one folder, with the order in which to load them.
add_modules() {
    mods="$work/root/lib/modules"
    mkdir -p "$mods"
    depmod -b "$work/kernel" "$release"
    sed 's/#.*//' "$here/modules" | while read -r m; do
        [ -n "$m" ] || continue
        modprobe -d "$work/kernel" -S "$release" --show-depends "$m" || die "kernel has no module $m"
    done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' | while read -r ko; do
        cp "$ko" "$mods/"
        basename "$ko" >>"$mods/order"
    done
    [ -s "$mods/order" ] || die "no modules"
}

# One program with the shared libraries that it needs, at their own paths.
add_program() {
    mkdir -p "$work/root$(dirname "$1")"
    cp -L "$1" "$work/root$1"
    ldd "$1" | awk '/=> \//{print $3} $1 ~ /^\//{print $1}' | while read -r lib; do
        mkdir -p "$work/root$(dirname "$lib")"
        cp -L "$lib" "$work/root$lib"
    done
}

build_initrd() {
    root="$work/root"
    cp -R "$here/root" "$root"
    (cd "$root" && mkdir -p bin sbin usr/bin usr/sbin dev proc sys run tmp root var/log)
    # Debian's libraries may be named below /lib or /lib64 and live below /usr: here both are real folders.
    cp -L /bin/busybox "$root/bin/busybox"
    if ldd "$root/bin/busybox" >/dev/null 2>&1; then die "/bin/busybox is not static: install busybox-static"; fi
    /bin/busybox --list-full | while read -r applet; do
        mkdir -p "$root/$(dirname "$applet")"
        [ -e "$root/$applet" ] || ln -s /bin/busybox "$root/$applet"
    done
    ln -s /bin/busybox "$root/init"
    add_program /usr/sbin/dropbear
    mkdir -p "$root/usr/bin"
    add_program /usr/bin/dropbearkey
    add_modules
    chmod 755 "$root"/usr/lib/kvorum/* "$root/etc/udhcpc/script" "$root/etc/acpi/PWRF/00000080" "$root/www/cgi-bin/uptime"
    find "$root" -exec touch -h -d @0 {} +
    (cd "$root" && find . | sort | cpio --quiet --reproducible -R 0:0 -H newc -o) | gzip -9n >"$work/initrd.gz"
}

build_raw() {
    truncate -s 4M "$work/disk.raw"
    mke2fs -q -F -t ext2 -L kvorum-root -U clear -E hash_seed=00000000-0000-0000-0000-000000000001 "$work/disk.raw"
}

# An MBR with one active FAT16 partition at 1 MiB. Nothing is mounted: mtools and syslinux write into the file.
build_bootable() {
    disk="$work/guest.raw"
    part=1048576
    truncate -s 40M "$disk"
    echo '2048,,6,*' | sfdisk -q --no-reread --no-tell-kernel "$disk"
    dd if=/usr/lib/syslinux/mbr/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none
    mkfs.fat -F 16 -n KVORUM -i 4b564f52 --offset 2048 "$disk" $((39 * 1024)) >/dev/null
    cat >"$work/syslinux.cfg" <<CFG
SERIAL 0 115200
DEFAULT guest
PROMPT 0
TIMEOUT 1
LABEL guest
  KERNEL vmlinuz
  INITRD initrd.gz
  APPEND $cmdline
CFG
    mcopy -i "$disk@@$part" "$work/vmlinuz" "$work/initrd.gz" "$work/syslinux.cfg" ::/
    syslinux -t $part --install "$disk"
    qemu-img convert -q -f raw -O qcow2 "$disk" "$work/guest.qcow2"
}

manifest() {
    printf '{\n  "kernel_package": "%s",\n  "kernel_version": "%s",\n  "kernel_release": "%s",\n  "cmdline": "%s",\n  "files": {' \
        "$kernel" "$kernel_version" "$release" "$cmdline"
    sep=
    for f in vmlinuz initrd.gz disk.raw guest.qcow2; do
        printf '%s\n    "%s": {"size": %s, "sha256": "%s"}' "$sep" "$f" \
            "$(stat -c %s "$work/$f")" "$(sha256sum "$work/$f" | cut -d' ' -f1)"
        sep=,
    done
    printf '\n  }\n}\n'
}

exec 9>"$out/.lock"
flock 9
kernel=$(kernel_package)
if [ -z "$kernel" ]; then
    apt-get -qq update
    kernel=$(kernel_package)
fi
[ -n "$kernel" ] || die "apt knows no package $kernel_meta"
kernel_version=$(candidate "$kernel")
key=$(inputs | sha256sum | cut -d' ' -f1)
if complete && [ "$(cat "$out/.key" 2>/dev/null)" = "$key" ]; then exit 0; fi

work=$(mktemp -d "$out/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
rm -f "$out/.key"
fetch_kernel
build_initrd
build_raw
build_bootable
manifest >"$work/manifest.json"
for f in $outputs; do mv "$work/$f" "$out/$f"; done
echo "$key" >"$out/.key"
