package command

import "github.com/kvorum/kvorum/fsm/state"

func (*NetworkCreate) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*NetworkUpdate) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*NetworkDelete) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*SubnetCreate) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*SubnetUpdate) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*SubnetDelete) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*PortCreate) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*PortUpdate) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*PortDelete) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*RouterCreate) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*RouterUpdate) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*RouterDelete) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*RouterAttach) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
func (*RouterDetach) Apply(*state.Tx, Meta) ([]string, error) { return nil, nil }
