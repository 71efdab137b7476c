package model

import "regexp"

// The typed ids. Projects, users, roles and domains have 32 hex digits (the
// first domain is literally "default"); the others are UUIDs in their
// canonical lower-case form; a flavor's is any short string.
type (
	DomainID  string
	ProjectID string
	UserID    string
	RoleID    string
	FlavorID  string
	ImageID   string
	NetworkID string
	SubnetID  string
	PortID    string
	RouterID  string
	ServerID  string
	HostID    string
	// NodeID is that of a member of the cluster; an agent's is its HostID.
	NodeID string
	// TokenID names a join token; it is no secret.
	TokenID string
)

var (
	uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	hexForm  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	sumForm  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// IsUUID tells whether s is a UUID in canonical lower-case form.
func IsUUID(s string) bool { return len(s) == 36 && uuidForm.MatchString(s) }

// IsHexID tells whether s is 32 lower-case hex digits.
func IsHexID(s string) bool { return len(s) == 32 && hexForm.MatchString(s) }

// IsSHA256 tells whether s is a SHA-256 in lower-case hex.
func IsSHA256(s string) bool { return len(s) == 64 && sumForm.MatchString(s) }
