package cluster

import "net/http"

// TokenLife checks that a token opens doors from its issue on, at every node,
// and none once its end was acknowledged.
type TokenLife struct{}

// Name implements Checker.
func (TokenLife) Name() string { return "token life" }

// Check implements Checker.
func (c TokenLife) Check(v Evidence) []Finding {
	f := findings{checker: c.Name()}
	issued, asked, ended := map[string]Op{}, map[string]Op{}, map[string]Op{}
	ops := inOrder(v.Ops)
	for _, op := range ops {
		switch {
		case op.Action == Issue && op.Outcome == OK:
			issued[op.Key] = op
		case op.Action == Revoke:
			// A token that is ended twice has its end at the first that was done.
			if first, ok := asked[op.Key]; op.Outcome != Fail && (!ok || op.Call < first.Call) {
				asked[op.Key] = op
			}
			if first, ok := ended[op.Key]; op.Outcome == OK && (!ok || op.Return < first.Return) {
				ended[op.Key] = op
			}
		}
	}
	for _, op := range ops {
		if op.Action != Use {
			continue
		}
		end, over := ended[op.Key]
		wish, wished := asked[op.Key]
		switch {
		case op.Outcome == OK && over && op.Call > end.Return:
			f.add([]int{end.Number, op.Number}, "token %s was ended at %s, and opened %s %d ms later", op.Key, end.Node, op.Node, (op.Call-end.Return)/1e6)
		case op.Status == http.StatusUnauthorized && !(wished && wish.Call <= op.Return):
			f.add([]int{issued[op.Key].Number, op.Number}, "token %s was refused at %s, and nobody had ended it", op.Key, op.Node)
		}
	}
	return f.list
}
