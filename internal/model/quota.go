package model

// Unlimited is the limit that is none.
const Unlimited = -1

// Quota is a project's own limit of one resource; without a row the default
// holds. Written by quota.set.
type Quota struct {
	ProjectID ProjectID `json:"project_id,omitzero"`
	Resource  string    `json:"resource,omitzero"`
	// Limit is Unlimited or at least 0; a limit of 0 is a limit.
	Limit int64 `json:"limit,omitzero"`
}

// Usage is what a project has of one resource now. Written by every command
// that makes or removes such a resource.
type Usage struct {
	ProjectID ProjectID `json:"project_id,omitzero"`
	Resource  string    `json:"resource,omitzero"`
	Used      int64     `json:"used,omitzero"`
}
