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
	"cluster.init/1":      kind(exampleClusterInit, workClusterInit),
	"server.create/1":     kind(exampleServerCreate, workServerCreate),
	"server.update/1":     kind(exampleServerUpdate, workServerUpdate),
	"server.delete/1":     kind(exampleServerDelete, workServerDelete),
	"server.power/1":      kind(exampleServerPower, workServerPower),
	"server.password/1":   kind(exampleServerPassword, workServerPassword),
	"server.reboot/1":     kind(exampleServerReboot, workServerReboot),
	"servers.place/1":     kind(exampleServersPlace, workServersPlace),
	"host.register/1":     kind(exampleHostRegister, workHostRegister),
	"host.report/1":       kind(exampleHostReport, workHostReport),
	"host.state/1":        kind(exampleHostState, workHostState),
	"host.service/1":      kind(exampleHostService, workHostService),
	"project.create/1":    kind(exampleProjectCreate, workProjectCreate),
	"project.update/1":    kind(exampleProjectUpdate, workProjectUpdate),
	"project.delete/1":    kind(exampleProjectDelete, workProjectDelete),
	"user.create/1":       kind(exampleUserCreate, workUserCreate),
	"user.update/1":       kind(exampleUserUpdate, workUserUpdate),
	"user.delete/1":       kind(exampleUserDelete, workUserDelete),
	"role.create/1":       kind(exampleRoleCreate, workRoleCreate),
	"role.update/1":       kind(exampleRoleUpdate, workRoleUpdate),
	"role.delete/1":       kind(exampleRoleDelete, workRoleDelete),
	"grant.put/1":         kind(exampleGrantPut, workGrantPut),
	"grant.delete/1":      kind(exampleGrantDelete, workGrantDelete),
	"token_key.rotate/1":  kind(exampleTokenKeyRotate, workTokenKeyRotate),
	"token.revoke/1":      kind(exampleTokenRevoke, workTokenRevoke),
	"flavor.create/1":     kind(exampleFlavorCreate, workFlavorCreate),
	"flavor.update/1":     kind(exampleFlavorUpdate, workFlavorUpdate),
	"flavor.specs/1":      kind(exampleFlavorSpecs, workFlavorSpecs),
	"flavor.access/1":     kind(exampleFlavorAccess, workFlavorAccess),
	"flavor.delete/1":     kind(exampleFlavorDelete, workFlavorDelete),
	"key_pair.create/1":   kind(exampleKeyPairCreate, workKeyPairCreate),
	"key_pair.delete/1":   kind(exampleKeyPairDelete, workKeyPairDelete),
	"image.create/1":      kind(exampleImageCreate, workImageCreate),
	"image.update/1":      kind(exampleImageUpdate, workImageUpdate),
	"image.upload/1":      kind(exampleImageUpload, workImageUpload),
	"image.delete/1":      kind(exampleImageDelete, workImageDelete),
	"network.create/1":    kind(exampleNetworkCreate, workNetworkCreate),
	"networks.create/1":   kind(exampleNetworksCreate, workNetworksCreate),
	"network.update/1":    kind(exampleNetworkUpdate, workNetworkUpdate),
	"network.delete/1":    kind(exampleNetworkDelete, workNetworkDelete),
	"subnet.create/1":     kind(exampleSubnetCreate, workSubnetCreate),
	"subnets.create/1":    kind(exampleSubnetsCreate, workSubnetsCreate),
	"subnet.update/1":     kind(exampleSubnetUpdate, workSubnetUpdate),
	"subnet.delete/1":     kind(exampleSubnetDelete, workSubnetDelete),
	"port.create/1":       kind(examplePortCreate, workPortCreate),
	"ports.create/1":      kind(examplePortsCreate, workPortsCreate),
	"port.update/1":       kind(examplePortUpdate, workPortUpdate),
	"port.delete/1":       kind(examplePortDelete, workPortDelete),
	"router.create/1":     kind(exampleRouterCreate, workRouterCreate),
	"router.update/1":     kind(exampleRouterUpdate, workRouterUpdate),
	"router.delete/1":     kind(exampleRouterDelete, workRouterDelete),
	"router.attach/1":     kind(exampleRouterAttach, workRouterAttach),
	"router.detach/1":     kind(exampleRouterDetach, workRouterDetach),
	"tags.change/1":       kind(exampleTagsChange, workTagsChange),
	"quota.set/1":         kind(exampleQuotaSet, workQuotaSet),
	"quota.reset/1":       kind(exampleQuotaReset, workQuotaReset),
	"expire/1":            kind(exampleExpire, workExpire),
	"state.checkpoint/1":  kind(exampleStateCheckpoint, workStateCheckpoint),
	"join_token.create/1": kind(exampleJoinTokenCreate, workJoinTokenCreate),
	"join_token.delete/1": kind(exampleJoinTokenDelete, workJoinTokenDelete),
	"node.join/1":         kind(exampleNodeJoin, workNodeJoin),
	"node.remove/1":       kind(exampleNodeRemove, workNodeRemove),
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
