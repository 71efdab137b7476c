package state

import (
	"slices"

	"github.com/kvorum/kvorum/internal/model"
)

func checkNumbers(v View, bad func(string, ...any)) {
	seen := once{}
	last := uint64(0)
	if c := v.Cluster(); c != nil {
		last = c.LastServer
	}
	for s := range v.Servers() {
		if s.Num == 0 || s.Num > last {
			bad("server %s has %d, and the last one given is %d", s.ID, s.Num, last)
		}
		seen.see(bad, "number %d", s.Num)
	}
}

var (
	vmStates   = []string{model.Building, model.Active, model.Stopped, model.Errored}
	taskStates = []string{"", model.TaskScheduling, model.TaskSpawning, model.TaskPoweringOn, model.TaskPoweringOff, model.TaskRebooting, model.TaskRebootingHard}
)

func checkStates(v View, bad func(string, ...any)) {
	for s := range v.Servers() {
		if !slices.Contains(vmStates, s.VMState) || !slices.Contains(taskStates, s.TaskState) {
			bad("server %s is %q in task %q", s.ID, s.VMState, s.TaskState)
		}
		if s.VMState == model.Errored && s.Fault == nil {
			bad("server %s is in error without a fault", s.ID)
		}
	}
}

func checkWaiting(v View, bad func(string, ...any)) {
	for s := range v.Servers() {
		waits := s.TaskState == model.TaskScheduling
		if waits && s.HostID != "" || !waits && s.HostID == "" && s.VMState != model.Errored {
			bad("server %s is %q in task %q on host %q", s.ID, s.VMState, s.TaskState, s.HostID)
		}
	}
}

func checkPermits(v View, bad func(string, ...any)) {
	for s := range v.Servers() {
		p := v.Permit(s.ID)
		if (p != nil) != (s.HostID != "") || p != nil && (p.HostID != s.HostID || p.Number == 0 || p.Number > v.Index) {
			bad("server %s is on %q with permit %v", s.ID, s.HostID, p)
		}
	}
}

func checkPermitOwners(v View, bad func(string, ...any)) {
	for p := range v.Permits() {
		t := v.Tombstone(p.ServerID)
		if v.Server(p.ServerID) == nil && (t == nil || t.Confirmed) {
			bad("permit %d of %s", p.Number, p.ServerID)
		}
	}
}

func checkClaims(v View, bad func(string, ...any)) {
	sum := map[model.HostID]*model.Host{}
	add := func(h model.HostID, s model.Size) {
		if sum[h] == nil {
			sum[h] = &model.Host{}
		}
		sum[h].UsedVCPUs += s.VCPUs
		sum[h].UsedRAM += s.RAM
		sum[h].UsedDisk += s.DiskTotal()
		sum[h].Guests++
	}
	for s := range v.Servers() {
		add(s.HostID, s.Size)
	}
	for t := range v.Tombstones() {
		if !t.Confirmed {
			add(t.Server.HostID, t.Server.Size)
		}
	}
	for h := range v.Hosts() {
		w := sum[h.ID]
		if w == nil {
			w = &model.Host{}
		}
		if h.UsedVCPUs != w.UsedVCPUs || h.UsedRAM != w.UsedRAM || h.UsedDisk != w.UsedDisk || h.Guests != w.Guests {
			bad("host %s says %d vCPUs, %d MiB, %d GiB, %d guests; its servers add up to %d, %d, %d, %d", h.Name,
				h.UsedVCPUs, h.UsedRAM, h.UsedDisk, h.Guests, w.UsedVCPUs, w.UsedRAM, w.UsedDisk, w.Guests)
		}
	}
}

func checkUsage(v View, bad func(string, ...any)) {
	for p := range v.Projects() {
		for _, r := range Resources {
			if want := r.Count(v, p.ID); v.Used(p.ID, r.Name) != want {
				bad("project %s has %d %s, and its usage says %d", p.ID, want, r.Name, v.Used(p.ID, r.Name))
			}
		}
	}
	for u := range v.Usages() {
		if v.Project(u.ProjectID) == nil || u.Used < 0 {
			bad("project %s is said to have %d %s", u.ProjectID, u.Used, u.Resource)
		}
	}
}

func checkTombstones(v View, bad func(string, ...any)) {
	for t := range v.Tombstones() {
		if v.Server(t.Server.ID) != nil {
			bad("server %s lives and is deleted", t.Server.ID)
		}
		if !t.Confirmed && (t.Server.HostID == "" || v.Permit(t.Server.ID) == nil) {
			bad("server %s waits for the word of host %q without a permit", t.Server.ID, t.Server.HostID)
		}
	}
}

func checkActionCount(v View, bad func(string, ...any)) {
	for s := range v.Servers() {
		n := 0
		for range v.ServerActions(s.ID) {
			n++
		}
		if n > MaxActions {
			bad("server %s has %d actions", s.ID, n)
		}
	}
}

func checkActions(v View, bad func(string, ...any)) {
	for a := range v.AllServerActions() {
		if v.Server(a.ServerID) == nil && v.Tombstone(a.ServerID) == nil {
			bad("action %s of %s", a.Action, a.ServerID)
		}
	}
}
