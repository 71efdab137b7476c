package compute

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// listAggregates is empty: none can be made.
func listAggregates(*rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"aggregates": []object{}}), nil
}

// noAggregate answers for a single one: there is none.
func noAggregate(c *rest.Call) (rest.Answer, error) {
	id := c.Param("id")
	if _, ok := wholeNumber(id); !ok {
		return rest.Answer{}, badInput("id", id, quoted(id)+" is not of type 'integer'")
	}
	return rest.Answer{}, errs.Errorf("compute.aggregate", errs.NotFound, "Aggregate %s could not be found.", shorten(id))
}

func aggregateRoutes() []rest.Route {
	routes := []rest.Route{
		{Name: "os-aggregates:index", Method: get, Path: "/os-aggregates", Persona: rest.Admin, Handle: listAggregates},
		{Name: "os-aggregates:create", Method: post, Path: "/os-aggregates", Persona: rest.Admin, Handle: unoffered("Host aggregates are")},
		{Name: "os-aggregates:action", Method: post, Path: "/os-aggregates/{id}/action", Persona: rest.Admin, Handle: noAggregate},
		{Name: "os-aggregates:images", Method: post, Path: "/os-aggregates/{id}/images", Min: since(81), Persona: rest.Admin, Handle: noAggregate},
	}
	for name, method := range map[string]string{"show": get, "update": put, "delete": del} {
		routes = append(routes, rest.Route{Name: "os-aggregates:" + name, Method: method, Path: "/os-aggregates/{id}", Persona: rest.Admin, Handle: noAggregate})
	}
	return routes
}
