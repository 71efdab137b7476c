//go:build faults

package failpoint

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

const place Name = "failpoint:test"

func order(t *testing.T, o Order) {
	t.Helper()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	set(place, &o)
	t.Cleanup(func() { set(place, nil) })
}

func TestNobodyIsHeldWithoutAnOrder(t *testing.T) {
	if err := Hit(context.Background(), place); err != nil {
		t.Error(err)
	}
}

func TestAnOrderSkipsAndEnds(t *testing.T) {
	order(t, Order{Do: Fail, Skip: 1, Times: 2})
	var got string
	for range 5 {
		if err := Hit(context.Background(), place); errors.Is(err, errInjected) {
			got += "x"
		} else if err == nil {
			got += "."
		}
	}
	if got != ".xx.." {
		t.Errorf("effects %q, want .xx..", got)
	}
}

func TestAnOrderWithoutAnEndStands(t *testing.T) {
	order(t, Order{Do: Fail})
	for range 3 {
		if Hit(context.Background(), place) == nil {
			t.Fatal("passed")
		}
	}
}

func TestPercent(t *testing.T) {
	order(t, Order{Do: Fail, Percent: 30})
	met := 0
	for range 1000 {
		if Hit(context.Background(), place) != nil {
			met++
		}
	}
	if met < 200 || met > 400 {
		t.Errorf("%d of 1000 met it", met)
	}
}

func TestWhatIsDroppedWaitsForItsContext(t *testing.T) {
	order(t, Order{Do: Drop})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Hit(ctx, place) }()
	for met() == 0 {
		<-clock.Real{}.After(time.Millisecond)
	}
	select {
	case err := <-done:
		t.Fatal("it did not wait:", err)
	default:
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func met() int64 {
	mu.Lock()
	defer mu.Unlock()
	return at(place).Met
}

func TestPanicAndKill(t *testing.T) {
	if deed := os.Getenv("FAILPOINT_DEED"); deed != "" {
		set(place, &Order{Do: Deed(deed)})
		_ = Hit(context.Background(), place)
		t.Fatal("still here")
	}
	for deed, want := range map[Deed]string{Panic: "exit status 2", Kill: "signal: killed"} {
		c := exec.Command(os.Args[0], "-test.run=^TestPanicAndKill$")
		c.Env = append(os.Environ(), "FAILPOINT_DEED="+string(deed))
		out, err := c.CombinedOutput()
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s\n%s", deed, err, want, out)
		}
	}
}

// TestOrdersComeOverTheSocket: with bad ones refused.
func TestOrdersComeOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	t.Setenv(Environment, path)
	if err := Listen(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	resp, err := client.Get("http://faults/points")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for _, x := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/points/" + string(place), `{"do":"error","times":1}`, 200},
		{"PUT", "/points/" + string(place), `{"do":"laugh"}`, 400},
		{"PUT", "/points/" + string(place), `{"do":"sleep"}`, 400},
		{"PUT", "/points/" + string(place), `{"do":"error","percent":101}`, 400},
		{"PUT", "/points/" + string(place), `{"do":"error","surprise":1}`, 400},
		{"PUT", "/clock", `{"drift_ppm":-600000}`, 400},
		{"PUT", "/clock", `{"jump_ms":-1}`, 400},
		{"PUT", "/clock", strings.Repeat(" ", maxOrder+1), 400},
	} {
		w := httptest.NewRecorder()
		handler().ServeHTTP(w, httptest.NewRequest(x.method, x.path, strings.NewReader(x.body)))
		if w.Code != x.want {
			t.Errorf("%s %s %s: %d %s, want %d", x.method, x.path, x.body, w.Code, w.Body, x.want)
		}
	}
	before := met()
	if Hit(context.Background(), place) == nil || met() != before+1 {
		t.Error("the order did not stand")
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest("GET", "/points", nil))
	var all map[Name]Tally
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil || all[place].Met != met() || all[place].Order != nil {
		t.Errorf("%s: %v", w.Body, err)
	}
}
