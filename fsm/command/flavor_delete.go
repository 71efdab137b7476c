package command

import "github.com/kvorum/kvorum/internal/model"

// FlavorDelete removes a flavor. Servers keep their own copy.
//
// Rules: the actor is an administrator; the flavor is there.
type FlavorDelete struct {
	ID model.FlavorID `json:"id"`
}

// Kind implements Command.
func (*FlavorDelete) Kind() string { return "flavor.delete/1" }
