package model

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

// IsUUID tells whether s is a UUID in canonical lower-case form.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !hexDigit(s[i]) {
			return false
		}
	}
	return true
}

// IsHexID tells whether s is 32 lower-case hex digits.
func IsHexID(s string) bool { return len(s) == 32 && allHex(s) }

// IsSHA256 tells whether s is a SHA-256 in lower-case hex.
func IsSHA256(s string) bool { return len(s) == 64 && allHex(s) }

func allHex(s string) bool {
	for i := range len(s) {
		if !hexDigit(s[i]) {
			return false
		}
	}
	return true
}

func hexDigit(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
