package testbed

// Status is a rack as a person or a script wants to see it.
type Status struct {
	ID     string `json:"id"`
	Prefix string `json:"prefix"`
	Dir    string `json:"dir"`
	Range  string `json:"range"`
	// External is the outer network, Outside the outside's address in it, and
	// World one beyond it.
	External string       `json:"external"`
	Outside  string       `json:"outside"`
	World    string       `json:"world"`
	Hosts    []HostStatus `json:"hosts"`
}

// HostStatus is one host of a Status.
type HostStatus struct {
	Name       string          `json:"name"`
	Address    string          `json:"address"`
	UUID       string          `json:"uuid"`
	Netns      string          `json:"netns"`
	DataDir    string          `json:"data_dir"`
	LibvirtURI string          `json:"libvirt_uri"`
	Processes  []ProcessStatus `json:"processes"`
}

// ProcessStatus is a managed process of a host, running or not.
type ProcessStatus struct {
	Name    string   `json:"name"`
	PID     int      `json:"pid"`
	Running bool     `json:"running"`
	Argv    []string `json:"argv"`
	Log     string   `json:"log"`
}

// Status tells what the rack is now; its hosts are in the order of their
// making, processes by name, without the outside.
func (r *Rack) Status() Status {
	s := Status{
		ID: r.state.ID, Prefix: r.state.Prefix, Dir: r.state.Dir, Range: r.state.Range.String(),
		External: r.state.External.String(), Outside: nth(r.state.External, 1).String(), World: worldAddress,
		Hosts: []HostStatus{},
	}
	for _, h := range r.Hosts() {
		hs := HostStatus{
			Name: h.name, Address: h.address.String(), UUID: h.uuid, Netns: h.Netns(),
			DataDir: h.DataDir(), LibvirtURI: h.LibvirtURI(), Processes: []ProcessStatus{},
		}
		for _, p := range h.Processes() {
			hs.Processes = append(hs.Processes, ProcessStatus{
				Name: p.name, PID: p.state.PID, Running: p.Running(), Argv: p.state.Argv, Log: h.LogFile(p.name),
			})
		}
		s.Hosts = append(s.Hosts, hs)
	}
	return s
}
