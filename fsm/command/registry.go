package command

import (
	"maps"
	"slices"
)

// row is one kind of command.
type row struct {
	make     func() Command
	example  func() Command
	workload Workload
}

// kind declares a command of type T.
func kind[T any, P interface {
	*T
	Command
}](example func() P, workload Workload) row {
	return row{make: func() Command { return P(new(T)) }, example: func() Command { return example() }, workload: workload}
}

// registry is every kind of command. A released one is never removed.
var registry = map[string]row{
	"cluster.init/1":  kind(exampleClusterInit, workClusterInit),
	"server.create/1": kind(exampleServerCreate, workServerCreate),
	"server.update/1": kind(exampleServerUpdate, workServerUpdate),
	"server.delete/1": kind(exampleServerDelete, workServerDelete),
	"server.power/1":  kind(exampleServerPower, workServerPower),
	"server.reboot/1": kind(exampleServerReboot, workServerReboot),
	"servers.place/1": kind(exampleServersPlace, workServersPlace),
	"host.register/1": kind(exampleHostRegister, workHostRegister),
	"host.report/1":   kind(exampleHostReport, workHostReport),
	"host.state/1":    kind(exampleHostState, workHostState),
	"host.service/1":  kind(exampleHostService, workHostService),
}

// Kinds lists every kind by name.
func Kinds() []string { return slices.Sorted(maps.Keys(registry)) }

// Example gives the golden example of a kind; nil for an unknown one.
func Example(kind string) Command {
	r, ok := registry[kind]
	if !ok {
		return nil
	}
	return r.example()
}

// Work makes up a command of a kind; see Workload.
func Work(kind string, g Gen) (Command, By, bool) {
	r, ok := registry[kind]
	if !ok || r.workload == nil {
		return nil, By{}, false
	}
	return r.workload(g)
}
