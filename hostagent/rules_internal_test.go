package hostagent

import (
	"testing"

	"github.com/kvorum/kvorum/internal/assign"
)

// TestADomainIsNotMadeOfMetadata: what only the metadata service says makes no
// other domain.
func TestADomainIsNotMadeOfMetadata(t *testing.T) {
	g := assign.Guest{ID: "g", VCPUs: 1, RAM: 64}
	same := g
	same.UserData, same.Password, same.Metadata = []byte("u"), []byte("p"), map[string]string{"a": "b"}
	other := g
	other.RAM = 128
	if definition(same) != definition(g) || definition(other) == definition(g) {
		t.Errorf("%s, %s and %s", definition(g), definition(same), definition(other))
	}
}
