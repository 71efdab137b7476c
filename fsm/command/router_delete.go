package command

import "github.com/kvorum/kvorum/internal/model"

// RouterDelete removes a router.
//
// Rules: the router is the actor's and has no interface.
type RouterDelete struct {
	ID model.RouterID `json:"id"`
}

// Kind implements Command.
func (*RouterDelete) Kind() string { return "router.delete/1" }
