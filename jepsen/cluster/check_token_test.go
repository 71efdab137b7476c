package cluster

import (
	"net/http"
	"testing"
)

func TestTokenLife(t *testing.T) {
	for name, c := range map[string]struct {
		ops  []string
		want []string
	}{
		"nothing":                      {},
		"a whole life":                 {ops: []string{"issue t1 - 0-1 ok", "use t1 - 2-3 ok", "revoke t1 - 4-5 ok", "use t1 - 6-7 fail"}},
		"used while it ends":           {ops: []string{"issue t1 - 0-1 ok", "revoke t1 - 2-10 ok", "use t1 - 3-4 ok", "use t1 - 5-6 fail", "use t1 - 10-11 ok"}},
		"an end of which nobody knows": {ops: []string{"issue t1 - 0-1 ok", "revoke t1 - 2-3 info", "use t1 - 4-5 ok", "use t1 - 6-7 fail"}},
		"ended twice":                  {ops: []string{"issue t1 - 0-1 ok", "revoke t1 - 2-3 info", "use t1 - 4-5 fail", "revoke t1 - 6-7 ok", "use t1 - 8-9 fail"}},
		"another one ends":             {ops: []string{"issue t1 - 0-1 ok", "issue t2 - 0-1 ok", "revoke t2 - 2-3 ok", "use t1 - 4-5 ok", "use t2 - 4-5 fail"}},
		"it lives on": {ops: []string{"issue t1 - 0-1 ok", "revoke t1 - 2-3 ok", "use t1 - 5-6 ok"},
			want: []string{"token t1 was ended at c1, and opened c1 2 ms later"}},
		"it lives on after the first of two ends": {ops: []string{"issue t1 - 0-1 ok", "revoke t1 - 2-3 ok", "use t1 - 5-6 ok", "revoke t1 - 7-8 ok"}, want: []string{"2 ms later"}},
		"refused for nothing":                     {ops: []string{"issue t1 - 0-1 ok", "use t1 - 2-3 fail"}, want: []string{"token t1 was refused at c1, and nobody had ended it"}},
		"refused before its end":                  {ops: []string{"issue t1 - 0-1 ok", "use t1 - 2-3 fail", "revoke t1 - 4-5 ok"}, want: []string{"nobody had ended it"}},
		"refused, though its end failed":          {ops: []string{"issue t1 - 0-1 ok", "revoke t1 - 2-3 fail", "use t1 - 4-5 fail"}, want: []string{"nobody had ended it"}},
	} {
		t.Run(name, func(t *testing.T) {
			ops := story(t, c.ops...)
			for i := range ops {
				if ops[i].Action == Use && ops[i].Outcome == Fail {
					ops[i].Status = http.StatusUnauthorized
				}
			}
			verdicts(t, TokenLife{}.Check(Evidence{Ops: ops}), c.want...)
		})
	}
}

// TestTokensOfASickNode: a node that serves nobody refuses no token.
func TestTokensOfASickNode(t *testing.T) {
	verdicts(t, TokenLife{}.Check(Evidence{Ops: story(t, "issue t1 - 0-1 ok", "use t1 - 2-3 fail")})) // 503
}
