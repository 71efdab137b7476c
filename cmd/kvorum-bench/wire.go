package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/raftnode"
)

// wire is a node's end of the loopback network: raft's streams, and the
// questions of our nodes to each other. The first byte of a stream says which.
type wire struct {
	net.Listener
	accepted chan net.Conn
	closed   chan struct{}
	closing  sync.Once
	node     atomic.Pointer[raftnode.Node]

	mu    sync.Mutex
	lines map[string]*line
}

const (
	forRaft = 'r'
	forPeer = 'p'
)

func listen(address string) (*wire, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	w := &wire{Listener: l, accepted: make(chan net.Conn), closed: make(chan struct{}), lines: map[string]*line{}}
	go w.serve()
	return w, nil
}

// stream is nil for a node alone, and so are the peers.
func (w *wire) stream() raftnode.StreamLayer {
	if w == nil {
		return nil
	}
	return w
}

func (w *wire) peers() raftnode.Peers {
	if w == nil {
		return nil
	}
	return w
}

// answer lets others ask the node.
func (w *wire) answer(n *raftnode.Node) {
	if w != nil {
		w.node.Store(n)
	}
}

func (w *wire) serve() {
	for {
		c, err := w.Listener.Accept()
		if err != nil {
			return
		}
		go w.sort(c)
	}
}

func (w *wire) sort(c net.Conn) {
	var kind [1]byte
	if _, err := io.ReadFull(c, kind[:]); err != nil {
		c.Close()
		return
	}
	if kind[0] == forPeer {
		w.answers(c)
		return
	}
	select {
	case w.accepted <- c:
	case <-w.closed:
		c.Close()
	}
}

// Accept implements net.Listener, for raft.
func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.accepted:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (w *wire) Close() error {
	w.closing.Do(func() { close(w.closed) })
	return w.Listener.Close()
}

// Dial implements raftnode.StreamLayer.
func (w *wire) Dial(address string, timeout time.Duration) (net.Conn, error) {
	return dial(address, timeout, forRaft)
}

func dial(address string, timeout time.Duration, kind byte) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte{kind}); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// The questions. An answer is a byte that says whether it is one, and two
// numbers.
const (
	askTerm    = 't'
	askRead    = 'c'
	askApplied = 'a'

	answerBytes = 17
)

func (w *wire) answers(c net.Conn) {
	defer c.Close()
	var question [1]byte
	for {
		if _, err := io.ReadFull(c, question[:]); err != nil {
			return
		}
		out := w.answerTo(question[0])
		if _, err := c.Write(out[:]); err != nil {
			return
		}
	}
}

func (w *wire) answerTo(question byte) (out [answerBytes]byte) {
	n := w.node.Load()
	if n == nil {
		return out
	}
	var p raftnode.ReadPoint
	var err error
	switch question {
	case askTerm:
		p.Term = n.Term()
	case askRead:
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		p, err = n.ConfirmRead(ctx)
		cancel()
	case askApplied:
		p.Index = n.AppliedIndex()
	default:
		err = errors.New("unknown question")
	}
	if err == nil {
		out[0] = 1
		binary.BigEndian.PutUint64(out[1:], p.Index)
		binary.BigEndian.PutUint64(out[9:], p.Term)
	}
	return out
}

// line is the stream on which a node asks another one, one question a time.
type line struct {
	mu   sync.Mutex
	conn net.Conn
}

func (w *wire) ask(ctx context.Context, address string, question byte) (p raftnode.ReadPoint, err error) {
	key := address + string(question)
	w.mu.Lock()
	l := w.lines[key]
	if l == nil {
		l = &line{}
		w.lines[key] = l
	}
	w.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		if l.conn, err = dial(address, time.Second, forPeer); err != nil {
			l.conn = nil
			return p, err
		}
	}
	conn := l.conn
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // an answer that comes late must not be taken for the next one's
	var in [answerBytes]byte
	if _, err = conn.Write([]byte{question}); err == nil {
		_, err = io.ReadFull(conn, in[:])
	}
	if !stop() || err != nil {
		conn.Close()
		l.conn = nil
		return p, fmt.Errorf("asking %s: %w", address, errors.Join(err, ctx.Err()))
	}
	if in[0] != 1 {
		return p, fmt.Errorf("%s has no answer", address)
	}
	return raftnode.ReadPoint{Index: binary.BigEndian.Uint64(in[1:]), Term: binary.BigEndian.Uint64(in[9:])}, nil
}

// Term implements raftnode.Peers.
func (w *wire) Term(ctx context.Context, address string) (uint64, error) {
	p, err := w.ask(ctx, address, askTerm)
	return p.Term, err
}

// ConfirmRead implements raftnode.Peers.
func (w *wire) ConfirmRead(ctx context.Context, address string) (raftnode.ReadPoint, error) {
	return w.ask(ctx, address, askRead)
}

// AppliedIndex implements raftnode.Peers.
func (w *wire) AppliedIndex(ctx context.Context, address string) (uint64, error) {
	p, err := w.ask(ctx, address, askApplied)
	return p.Index, err
}
