package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
)

// listGroups is empty: there are no security groups, and the extension is not
// advertised. Clients look for one before they name it elsewhere.
func listGroups(*rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"security_groups": []object{}}), nil
}

func noGroup(c *rest.Call) (rest.Answer, error) {
	return rest.Answer{}, notFound("Security group", c.Param("id"))
}

func newGroup(*rest.Call) (rest.Answer, error) {
	return rest.Answer{}, notOffered("Security groups are not offered by this cloud.")
}
