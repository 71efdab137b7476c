package gossip

import (
	"bytes"
	"compress/lzw"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"net"
	"testing"
)

// The kinds of memberlist's messages, by their first byte.
const (
	msgSuspect  = 3
	msgAlive    = 4
	msgDead     = 5
	msgUser     = 8
	msgCompress = 9
)

// verdict is memberlist's word that a node is suspected, or dead; a node that
// says so of itself leaves.
type verdict struct {
	Incarnation uint32
	Node, From  string
}

// alive is memberlist's word that a node is alive.
type alive struct {
	Incarnation uint32
	Node        string
	Addr        []byte
	Port        uint16
	Meta        []byte
	Vsn         []uint8
}

// seal encrypts as memberlist does, with any kind of cipher.
func seal(t *testing.T, key, plain, extra []byte, kind byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 13)
	out[0] = kind
	rand.Read(out[1:])
	return gcm.Seal(out, out[1:13], plain, extra)
}

// packet is an encrypted packet of a pool.
func packet(t *testing.T, label string, key, plain []byte, kind byte) []byte {
	t.Helper()
	return append(labelHead(label), seal(t, key, plain, []byte(label), kind)...)
}

// message is one of memberlist's messages.
func message(t *testing.T, kind byte, v any) []byte {
	t.Helper()
	b, err := encode(kind, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bomb is a message that gets n bytes long when it is unpacked.
func bomb(t *testing.T, n int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := lzw.NewWriter(&buf, lzw.LSB, 8)
	if _, err := w.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return message(t, msgCompress, struct {
		Algo uint8
		Buf  []byte
	}{0, buf.Bytes()})
}

// frame is an encrypted stream after its label.
func frame(t *testing.T, label string, key, plain []byte, kind byte) []byte {
	t.Helper()
	length := 29 + len(plain)
	head := binary.BigEndian.AppendUint32([]byte{cipherMark}, uint32(length))
	return append(head, seal(t, key, plain, append(bytes.Clone(head), label...), kind)...)
}

func send(t *testing.T, to *Pool, packets ...[]byte) {
	t.Helper()
	c, err := net.Dial("udp", to.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, p := range packets {
		if _, err := c.Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

// stuff writes a stream, and waits until the other side ends it.
func stuff(t *testing.T, to *Pool, b []byte) {
	t.Helper()
	c, err := net.Dial("tcp", to.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write(b) // it may be cut off already
	_ = c.(*net.TCPConn).CloseWrite()
	_, _ = c.Read(make([]byte, 1)) // an end or a reset
}
