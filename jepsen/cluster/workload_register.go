package cluster

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/kvorum/kvorum/jepsen/testbed"
)

// Registers is reads and writes of the names of a few servers, through all
// control nodes. Every written name is written once only, so what was read
// tells which write it saw. After some operations new servers take the place of
// the old ones, because the cost of the checker grows with the operations on
// one.
type Registers struct {
	// Keys is how many are used at a time, PerKey how many operations each gets.
	Keys, PerKey int
	// Reads is their share, in percent; a tenth of them list all.
	Reads int

	next  atomic.Int64
	image string
	token string

	mu       sync.Mutex
	live     []string
	left     int // operations until there are to be new ones
	renewing bool
}

// unnamed is what a server is called before it is a register.
const unnamed = "register"

// initial is the name that a register begins with.
func initial(id string) string { return "new-" + id }

// Setup implements Workload.
func (w *Registers) Setup(ctx context.Context, e *Env, api *API) error {
	w.token = api.token
	var err error
	if w.image, err = makeImage(ctx, api); err != nil {
		return err
	}
	w.live, err = w.fresh(ctx, api)
	w.left = w.PerKey * w.Keys
	return err
}

// fresh makes new registers.
func (w *Registers) fresh(ctx context.Context, api *API) (ids []string, err error) {
	for range w.Keys {
		id, err := makeServer(ctx, api, w.image)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// key picks a register for the next operation, and tells whether it is time
// for new ones; only one client is told so at a time.
func (w *Registers) key(c *Client) (id string, renew bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left--
	renew = w.left <= 0 && !w.renewing
	w.renewing = w.renewing || renew
	return w.live[c.Rand.IntN(len(w.live))], renew
}

// renew puts new registers in the place of the old ones. While that fails, as
// it may under faults, the old ones go on for a while.
func (w *Registers) renew(ctx context.Context, api *API) {
	ids, err := w.fresh(ctx, api)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.renewing, w.left = false, w.Keys
	if err == nil {
		w.live, w.left = ids, w.PerKey*w.Keys
	}
}

// Step implements Workload.
func (w *Registers) Step(ctx context.Context, c *Client) {
	api := c.pick()
	id, renew := w.key(c)
	if renew {
		w.renew(ctx, api)
	}
	switch n := c.Rand.IntN(1000); {
	case n < w.Reads:
		listNames(ctx, c, api)
	case n < 10*w.Reads:
		readName(ctx, c, api, id)
	default:
		writeName(ctx, c, api, id, fmt.Sprintf("w%d", w.next.Add(1)))
	}
}

// Settle implements Workload.
func (w *Registers) Settle(ctx context.Context, c *Client) error {
	for _, api := range c.apis {
		for _, id := range w.live {
			if op := readName(ctx, c, api, id); op.Outcome != OK {
				return fmt.Errorf("the last read of %s at %s: %d %s", id, api.Node, op.Status, op.Error)
			}
		}
	}
	return nil
}

// names are the registers that are used now.
func (w *Registers) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live
}

// extra is a client beside those of the run.
func (w *Registers) extra(e *Env, number int, at *testbed.Host) (*Client, *API) {
	api := e.API(at)
	api.token = w.token
	return &Client{Env: e, Number: number, apis: []*API{api}}, api
}

// The numbers of such clients.
const (
	overtaker = 1000
	flooder   = 2000
)

// Overtake implements Floods.
func (w *Registers) Overtake(ctx context.Context, e *Env, through *testbed.Host) {
	c, api := w.extra(e, overtaker, through)
	defer api.Close()
	for _, id := range w.names() {
		writeName(ctx, c, api, id, fmt.Sprintf("w%d", w.next.Add(1)))
	}
}

// Flood implements Floods.
func (w *Registers) Flood(ctx context.Context, e *Env, at *testbed.Host, n int) *sync.WaitGroup {
	var all sync.WaitGroup
	ids := w.names()
	for i := range n {
		c, api := w.extra(e, flooder+i, at)
		all.Go(func() {
			defer api.Close()
			readName(ctx, c, api, ids[i%len(ids)])
		})
	}
	return &all
}

type serverBody struct {
	Server struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"server"`
}

func writeName(ctx context.Context, c *Client, api *API, id, name string) Op {
	return c.do(api, Op{Action: Write, Key: id, Values: []string{name}}, func() (Answer, error) {
		return api.Call(ctx, "PUT", "/compute/v2.1/servers/"+id, map[string]any{"server": map[string]string{"name": name}}, nil)
	}, nil)
}

func readName(ctx context.Context, c *Client, api *API, id string) Op {
	var got serverBody
	return c.do(api, Op{Action: Read, Key: id}, func() (Answer, error) {
		return api.Call(ctx, "GET", "/compute/v2.1/servers/"+id, nil, &got)
	}, func(op *Op) { op.Values = []string{got.Server.Name} })
}

// listNames reads all registers at one index: each value is id=name.
func listNames(ctx context.Context, c *Client, api *API) Op {
	var got struct {
		Servers []struct{ ID, Name string }
	}
	return c.do(api, Op{Action: Scan}, func() (Answer, error) {
		return api.Call(ctx, "GET", "/compute/v2.1/servers?limit=1000&sort_key=created_at&sort_dir=desc", nil, &got)
	}, func(op *Op) {
		for _, s := range got.Servers {
			op.Values = append(op.Values, s.ID+"="+s.Name)
		}
	})
}

// makeServer makes a server without networks, whose name says which one it is.
func makeServer(ctx context.Context, api *API, image string) (string, error) {
	var got serverBody
	body := map[string]any{"server": map[string]any{"name": unnamed, "imageRef": image, "flavorRef": "1", "networks": "none"}}
	r, err := api.Call(ctx, "POST", "/compute/v2.1/servers", body, &got)
	if err != nil || !r.OK() {
		return "", fmt.Errorf("create a server at %s: %d %.300s: %w", api.Node, r.Status, r.Body, err)
	}
	id := got.Server.ID
	name := map[string]any{"server": map[string]string{"name": initial(id)}}
	if r, err = api.Call(ctx, "PUT", "/compute/v2.1/servers/"+id, name, nil); err != nil || !r.OK() {
		return "", fmt.Errorf("name a server at %s: %d %.300s: %w", api.Node, r.Status, r.Body, err)
	}
	return id, nil
}

// makeImage makes an image that no guest will ever boot.
func makeImage(ctx context.Context, api *API) (string, error) {
	var got struct{ ID string }
	body := map[string]any{"name": "blank", "disk_format": "raw", "container_format": "bare"}
	r, err := api.Call(ctx, "POST", "/image/v2/images", body, &got)
	if err != nil || !r.OK() {
		return "", fmt.Errorf("create an image: %d %.300s: %w", r.Status, r.Body, err)
	}
	return got.ID, api.upload(ctx, "/image/v2/images/"+url.PathEscape(got.ID)+"/file", make([]byte, 4096))
}
