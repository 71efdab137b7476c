package placement

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvorum/kvorum/internal/model"
)

func host(name string, change func(*model.Host)) *model.Host {
	h := &model.Host{ID: model.HostID("id-" + name), Name: name, Zone: "nova", VCPUs: 8, RAM: 8192, Disk: 100,
		VCPURatio: 400, RAMRatio: 100, DiskRatio: 100, Archs: []string{"x86_64"}}
	if change != nil {
		change(h)
	}
	return h
}

var small = Request{ServerID: "s", Arch: "x86_64", Size: model.Size{VCPUs: 1, RAM: 1024, Disk: 10}}

func TestPlace(t *testing.T) {
	with := func(change func(*Request)) Request { r := small; change(&r); return r }
	for _, tc := range []struct {
		name    string
		hosts   []*model.Host
		request Request
		want    model.HostID
		summary string
	}{
		{"nobody there", nil, small, "", "0 hosts"},
		{"the only one", []*model.Host{host("a", nil)}, small, "id-a", "1 host"},
		{"the emptier one", []*model.Host{host("a", func(h *model.Host) { h.UsedRAM = 4096 }), host("b", nil)}, small, "id-b", "2 hosts"},
		{"disabled, down, forced down", []*model.Host{
			host("a", func(h *model.Host) { h.Disabled = true }), host("b", func(h *model.Host) { h.Down = true }),
			host("c", func(h *model.Host) { h.ForcedDown = true })}, small, "", "3 hosts: 2 down, 1 disabled"},
		{"zone", []*model.Host{host("a", nil), host("b", func(h *model.Host) { h.Zone = "z2" })},
			with(func(r *Request) { r.Zone = "z2" }), "id-b", "2 hosts: 1 in another availability zone"},
		{"forced host", []*model.Host{host("a", nil), host("b", nil)}, with(func(r *Request) { r.HostName = "b" }), "id-b", "2 hosts: 1 not the one asked for"},
		{"architecture", []*model.Host{host("a", nil)}, with(func(r *Request) { r.Arch = "aarch64" }), "", "1 host: 1 of another architecture"},
		{"no RAM left", []*model.Host{host("a", func(h *model.Host) { h.UsedRAM = 8000 })}, small, "", "1 host: 1 too little RAM"},
		{"no CPU left", []*model.Host{host("a", func(h *model.Host) { h.UsedVCPUs = 32 })}, small, "", "1 host: 1 too few vCPUs"},
		{"more CPUs than the host has", []*model.Host{host("a", nil)}, with(func(r *Request) { r.Size.VCPUs = 9 }), "", "1 host: 1 too few vCPUs"},
		{"no disk left", []*model.Host{host("a", func(h *model.Host) { h.UsedDisk = 95 })}, small, "", "1 host: 1 too little disk"},
		{"over-promised RAM by ratio", []*model.Host{host("a", func(h *model.Host) { h.UsedRAM, h.RAMRatio = 8000, 150 })}, small, "id-a", "1 host"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, trace := Place(tc.hosts, tc.request)
			if d.HostID != tc.want || trace.Summary() != tc.summary {
				t.Errorf("placed on %q, %q; want %q, %q", d.HostID, trace.Summary(), tc.want, tc.summary)
			}
		})
	}
}

func TestFaultText(t *testing.T) {
	var hosts []*model.Host
	for i := range 12 {
		hosts = append(hosts, host(fmt.Sprint(i), func(h *model.Host) { h.Down, h.UsedRAM = i < 3, 8192 }))
	}
	_, trace := Place(hosts, small)
	want := "No valid host was found. There are not enough hosts available. 12 hosts: 9 too little RAM, 3 down."
	if trace.Fault() != want {
		t.Errorf("%q, want %q", trace.Fault(), want)
	}
}

// TestTraceNamesTheBest, the chosen one first, and stays short.
func TestTraceNamesTheBest(t *testing.T) {
	hosts := []*model.Host{host("a", func(h *model.Host) { h.UsedRAM = 4096 }), host("b", nil), host(strings.Repeat("c", 255), func(h *model.Host) { h.UsedRAM = 2048 }),
		host("d", func(h *model.Host) { h.UsedRAM = 6144 }), host("e", func(h *model.Host) { h.Down = true })}
	_, trace := NewPlanner(hosts, 7).Place(small)
	want := "at index 7, 5 hosts: 1 down; 1. b (2000); 2. " + strings.Repeat("c", 64) + " (1750); 3. a (1500)"
	if trace.String() != want {
		t.Errorf("%s\nwant %s", trace, want)
	}
}

func TestReason(t *testing.T) {
	hosts := func(down, full int) []*model.Host {
		var all []*model.Host
		for i := range down + full {
			all = append(all, host(fmt.Sprint(i), func(h *model.Host) { h.Down, h.UsedRAM = i < down, 8192 }))
		}
		return all
	}
	for _, row := range []struct {
		hosts []*model.Host
		want  string
	}{
		{nil, NoHosts}, {hosts(1, 2), "ram"}, {hosts(2, 1), "up"}, {hosts(2, 2), "up"}, {[]*model.Host{host("a", nil)}, ""},
	} {
		if _, trace := Place(row.hosts, small); trace.Reason() != row.want {
			t.Errorf("%s: reason %q, want %q", trace.Summary(), trace.Reason(), row.want)
		}
	}
}

func TestPlannerCountsWhatItPromised(t *testing.T) {
	hosts := []*model.Host{host("a", nil), host("b", nil)}
	p := NewPlanner(hosts, 7)
	placed := map[model.HostID]int{}
	for i := range 20 {
		r := small
		r.ServerID = model.ServerID(fmt.Sprint(i))
		d, trace := p.Place(r)
		placed[d.HostID]++
		if trace.Index != 7 {
			t.Errorf("trace of index %d", trace.Index)
		}
	}
	if placed["id-a"] != 8 || placed["id-b"] != 8 || placed[""] != 4 {
		t.Errorf("%v, want 8 on each and 4 on none", placed)
	}
	if hosts[0].UsedRAM != 0 {
		t.Error("the given hosts were changed")
	}
}

func drawHosts(t *rapid.T) []*model.Host {
	n := rapid.IntRange(0, 12).Draw(t, "hosts")
	var hosts []*model.Host
	for i := range n {
		hosts = append(hosts, host(fmt.Sprintf("h%d", i), func(h *model.Host) {
			h.UsedRAM = rapid.IntRange(0, 9000).Draw(t, "ram")
			h.UsedVCPUs = rapid.IntRange(0, 40).Draw(t, "vcpus")
			h.Down = rapid.Bool().Draw(t, "down")
		}))
	}
	return hosts
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hosts := drawHosts(t)
		r := small
		r.ServerID = model.ServerID(rapid.StringN(1, 8, 8).Draw(t, "id"))
		d, _ := Place(hosts, r)
		shuffled := make([]*model.Host, len(hosts))
		for i, j := range rand.New(rand.NewPCG(1, uint64(len(hosts)))).Perm(len(hosts)) {
			shuffled[i] = hosts[j]
		}
		if again, _ := Place(shuffled, r); again != d {
			t.Fatalf("order matters: %v, then %v", d, again)
		}
		for i, h := range hosts {
			if h.ID == d.HostID {
				if !h.Fits(r.Size) || h.Down {
					t.Fatalf("placed on %s, which does not take it", h.Name)
				}
				continue
			}
			without := append(append([]*model.Host{}, hosts[:i]...), hosts[i+1:]...)
			if again, _ := Place(without, r); again != d {
				t.Fatalf("without the losing %s: %v, before %v", h.Name, again, d)
			}
			more := h.Clone()
			more.RAM += 4096
			if refusedBy(h, r) < 0 && refusedBy(more, r) >= 0 {
				t.Fatalf("more RAM made %s unfit", h.Name)
			}
		}
	})
}

func BenchmarkPlace5000(b *testing.B) {
	var hosts []*model.Host
	for i := range 5000 {
		hosts = append(hosts, host(fmt.Sprint(i), func(h *model.Host) { h.UsedRAM = i % 8192 }))
	}
	for b.Loop() {
		Place(hosts, small)
	}
}
