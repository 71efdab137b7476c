package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/kvorum/kvorum/internal/errs"
)

// smallAnswer is what a connection's buffers hold, in bytes: sending it is
// soon over, whatever the client does.
const smallAnswer = 64 << 10

// send sends an answer.
func (x *exchange) send(a Answer) {
	if a.Stream != nil {
		x.stream(a)
		return
	}
	var body []byte
	if a.Value != nil {
		var err error
		if body, err = json.Marshal(a.Value); err != nil {
			x.fail(errs.E("rest.send", errs.Internal, "", err))
			return
		}
	}
	x.place.leave()
	// What was done is answered in any case; what was only read can be asked
	// for again.
	if len(body) > smallAnswer && !x.place.take(x.many()) && reads(x.call.Request.Method) {
		x.fail(busy())
		return
	}
	x.headers(a)
	h := x.w.Header()
	if a.Value != nil && h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	x.write(a.Status, body)
}

// write sends a status and the whole body.
func (x *exchange) write(status int, body []byte) {
	x.status = status
	x.drain()
	if len(body) > 0 || status != http.StatusNoContent {
		x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.conn.writing()
	x.w.WriteHeader(status)
	var err error
	if len(body) > 0 && x.call.Request.Method != http.MethodHead {
		_, err = x.w.Write(body)
	}
	if err = errors.Join(err, x.conn.taken()); err != nil {
		x.Log.Debug("the client went away", "request_id", x.call.RequestID, "error", err)
	}
}

func (x *exchange) stream(a Answer) {
	defer a.Stream.Close()
	if many := x.many(); x.place.in != many && !x.place.take(many) {
		x.fail(busy())
		return
	}
	x.headers(a)
	x.w.Header().Set("Content-Type", a.Type)
	if a.Length >= 0 {
		x.w.Header().Set("Content-Length", strconv.FormatInt(a.Length, 10))
	}
	x.status = a.Status
	x.drain()
	x.w.WriteHeader(a.Status)
	if err := x.conn.copyPaced(x.w, a.Stream); err != nil {
		x.Log.Debug("stream ended early", "request_id", x.call.RequestID, "error", err)
	}
}

// maxDrain is how much of a body that nobody wanted is read before the answer,
// in bytes, so that the connection can serve on.
const maxDrain = 256 << 10

// drain reads what the client still sends, within the time that it has for
// that. A body that is too large is not worth it: the connection is closed.
func (x *exchange) drain() {
	if !x.hasBody() || errs.Is(x.failure, errs.TooLarge) {
		return
	}
	if _, err := io.CopyN(io.Discard, x.call.Request.Body, maxDrain); err != nil && err != io.EOF {
		x.Log.Debug("a body was not sent whole", "request_id", x.call.RequestID, "error", err)
	}
}

// headers sets the answer's own headers and those of every answer.
func (x *exchange) headers(a Answer) {
	h := x.w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	x.call.common(h)
}

// common sets what every answer of every API carries.
func (c *Call) common(h http.Header) {
	h.Set("X-OpenStack-Request-Id", c.RequestID)
	h.Set("X-Content-Type-Options", "nosniff")
	if c.View.Index > 0 {
		h.Set("X-Index", strconv.FormatUint(c.View.Index, 10))
	}
	if c.dialect.Headers != nil {
		c.dialect.Headers(c, h)
	}
}

// statusOf is the status of a failure, and the kind that tells what else its
// answer carries.
func statusOf(d *Dialect, err error) (int, errs.Kind) {
	kind := errs.KindOf(err)
	if errors.Is(err, context.DeadlineExceeded) && kind == errs.Internal {
		kind = errs.Unavailable
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && kind == errs.Invalid {
		return http.StatusRequestTimeout, kind
	}
	if d.Status != nil {
		if own := d.Status(err); own != 0 {
			return own, kind
		}
	}
	return kind.HTTPStatus(), kind
}

// fail words an error in the API's own format.
func (x *exchange) fail(err error) {
	x.place.leave()
	c := x.call
	status, kind := statusOf(c.dialect, err)
	x.failure, x.kind = err, kind
	h := x.w.Header()
	c.common(h)
	if kind == errs.Unauthorized && c.dialect.Unauthorized != nil {
		h.Set("WWW-Authenticate", c.dialect.Unauthorized(c))
	}
	if kind.Retryable() {
		h.Set("Retry-After", "1")
	}
	if kind == errs.Unknown {
		h.Set("X-Outcome", "unknown")
	}
	value, text := c.dialect.Fault(c, status, errs.Message(err), h)
	body := []byte(text)
	if value != nil {
		var merr error
		if body, merr = json.Marshal(value); merr != nil {
			x.Log.Error("fault does not encode", "error", merr)
		}
		h.Set("Content-Type", "application/json")
	} else if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	x.write(status, body)
}
