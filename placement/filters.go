package placement

import (
	"slices"

	"github.com/kvorum/kvorum/internal/model"
)

// Filter lets a host through or not.
type Filter struct {
	// Name is the filter's; Says is how a refusal reads behind a number of
	// hosts: "3 down".
	Name, Says string
	Pass       func(h *model.Host, r Request) bool
}

// Filters are asked in this order; the first that refuses a host counts.
var Filters = []Filter{
	{"host", "not the one asked for", func(h *model.Host, r Request) bool { return r.HostName == "" || h.Name == r.HostName }},
	{"zone", "in another availability zone", func(h *model.Host, r Request) bool { return r.Zone == "" || h.Zone == r.Zone }},
	{"enabled", "disabled", func(h *model.Host, _ Request) bool { return !h.Disabled }},
	{"up", "down", func(h *model.Host, _ Request) bool { return !h.Down && !h.ForcedDown }},
	{"architecture", "of another architecture", func(h *model.Host, r Request) bool { return slices.Contains(h.Archs, r.Arch) }},
	{"ram", "too little RAM", func(h *model.Host, r Request) bool {
		_, ram, _ := h.Room()
		return r.Size.RAM <= ram && r.Size.RAM <= h.RAM
	}},
	{"vcpu", "too few vCPUs", func(h *model.Host, r Request) bool {
		vcpus, _, _ := h.Room()
		return r.Size.VCPUs <= vcpus && r.Size.VCPUs <= h.VCPUs
	}},
	{"disk", "too little disk", func(h *model.Host, r Request) bool {
		_, _, disk := h.Room()
		return r.Size.DiskTotal() <= disk
	}},
	// What Apply will ask again; it refuses only what the filters above missed.
	{"fits", "without room", func(h *model.Host, r Request) bool { return h.Fits(r.Size) }},
}

// Weigher scores a host that passed all filters; higher is better.
type Weigher struct {
	Name   string
	Weight int64
	// Score is in thousandths: how much of the host is still to be promised.
	Score func(h *model.Host) int64
}

// Weighers are added up, each with its weight.
var Weighers = []Weigher{
	{"ram", 1, func(h *model.Host) int64 {
		_, ram, _ := h.Room()
		return share(ram, h.RAM*h.RAMRatio/100)
	}},
	{"vcpu", 1, func(h *model.Host) int64 {
		vcpus, _, _ := h.Room()
		return share(vcpus, h.VCPUs*h.VCPURatio/100)
	}},
}

func share(free, all int) int64 {
	if all <= 0 {
		return 0
	}
	return int64(free) * 1000 / int64(all)
}
