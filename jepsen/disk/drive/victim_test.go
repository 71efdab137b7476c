package drive

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
)

// victimWord as first word makes the test binary a program that works on a disk
// until it is killed: what works in the mount must be killed before a power
// loss, and a test cannot kill itself.
const victimWord = "victim"

func victim(args []string) int {
	var err error
	switch args[0] {
	case "bolt", "bolt-nosync":
		err = boltVictim(args[1], args[2], args[0] == "bolt-nosync")
	case "sync":
		err = syncVictim(args[1])
	case "start":
		err = startVictim(args[1], args[2])
	}
	fmt.Println("error", err)
	return 1
}

// syncVictim writes and syncs one file again and again.
func syncVictim(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	fmt.Println("open")
	for n := 0; ; n++ {
		if _, err := f.WriteAt([]byte(strconv.Itoa(n)), 0); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		fmt.Println("synced", n)
	}
}

// process is a victim that runs.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines chan string
}

// run starts a victim.
func (b *bench) run(args ...string) *process {
	b.t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{victimWord}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	b.ok(err)
	b.ok(cmd.Start())
	p := &process{b.t, cmd, make(chan string, 1<<16)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	b.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return p
}

// until reads what the victim says up to a line.
func (p *process) until(line string) {
	p.t.Helper()
	for l := range p.lines {
		if l == line {
			return
		}
		if strings.HasPrefix(l, "error") {
			p.t.Fatal(l)
		}
	}
	p.t.Fatalf("the victim ended before it said %q", line)
}

// kill ends the victim, waits for that, and gives what it had said.
func (p *process) kill() (said []string) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	for l := range p.lines {
		said = append(said, l)
	}
	_ = p.cmd.Wait() // killed, which is an error
	return said
}

// boltVictim commits to a database, each time what the number of the commit
// says, and says so after it.
func boltVictim(path, from string, noSync bool) error {
	db, err := openBolt(path, false)
	if err != nil {
		return err
	}
	db.NoSync = noSync
	n, err := strconv.Atoi(from)
	if err != nil {
		return err
	}
	fmt.Println("open")
	for ; ; n++ {
		if err := db.Update(func(tx *bbolt.Tx) error { return boltStep(tx, n) }); err != nil {
			return err
		}
		fmt.Println("done", n)
	}
}

func openBolt(path string, readOnly bool) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: readOnly, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
}

var boltBucket, boltCount = []byte("b"), []byte("count")

// boltChanges are what the n-th commit puts; an empty value removes.
func boltChanges(n int) map[string]string {
	all := map[string]string{}
	for j := range 6 {
		key := fmt.Sprintf("k%02d", below(40, 7, "key", n, j))
		all[key] = strings.Repeat(strconv.Itoa(n), int(below(400, 7, "value", n, j)))
	}
	return all
}

func boltStep(tx *bbolt.Tx, n int) error {
	b, err := tx.CreateBucketIfNotExists(boltBucket)
	if err != nil {
		return err
	}
	for key, value := range boltChanges(n) {
		if value == "" {
			err = b.Delete([]byte(key))
		} else {
			err = b.Put([]byte(key), []byte(value))
		}
		if err != nil {
			return err
		}
	}
	return b.Put(boltCount, binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// boltState is what the database must hold after n commits.
func boltState(n int) map[string]string {
	all := map[string]string{}
	for i := 1; i <= n; i++ {
		for key, value := range boltChanges(i) {
			all[key] = value
			if value == "" {
				delete(all, key)
			}
		}
	}
	return all
}

// readBolt opens the database, checks all its pages, and gives the number of
// its last commit; an error if what it holds is not what that left.
func readBolt(path string) (n int, err error) {
	db, err := openBolt(path, true)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return n, db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			return err
		}
		have := map[string]string{}
		b := tx.Bucket(boltBucket)
		if b == nil {
			return nil
		}
		if err := b.ForEach(func(k, v []byte) error { have[string(k)] = string(v); return nil }); err != nil {
			return err
		}
		n = int(binary.BigEndian.Uint64([]byte(have[string(boltCount)])))
		delete(have, string(boltCount))
		want := boltState(n)
		for k := range want {
			if have[k] != want[k] {
				return fmt.Errorf("after commit %d: %s has %d bytes, want %d", n, k, len(have[k]), len(want[k]))
			}
		}
		if len(have) != len(want) {
			return fmt.Errorf("after commit %d: %d keys, want %d", n, len(have), len(want))
		}
		return nil
	})
}

// acknowledged is the last commit that the victim said was done.
func acknowledged(said []string) (n int) {
	for _, l := range slices.Backward(said) {
		if _, err := fmt.Sscanf(l, "done %d", &n); err == nil {
			return n
		}
	}
	return 0
}
