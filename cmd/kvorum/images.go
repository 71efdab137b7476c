package main

import (
	"io"
	"time"

	"github.com/kvorum/kvorum/api/imageapi"
	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/imagestore/replica"
	"github.com/kvorum/kvorum/internal/pki"
)

// imageStall is how long a transfer of image bytes between control nodes may
// make no progress.
const imageStall = 30 * time.Second

// imageFiles fits the image store to the agents' door.
type imageFiles struct{ *imagestore.Store }

// Open implements agentapi.Images.
func (s imageFiles) Open(sha256 string) (io.ReadCloser, int64, error) { return s.Store.Open(sha256) }

// newReplicas makes this node's part in keeping image bytes on every control
// node.
func (n *controlNode) newReplicas() *replica.Replicas {
	return replica.New(replica.Config{Store: n.images, Others: n.otherNodes, Wanted: n.wantedImages, Clock: n.clock, Log: n.log.With("part", "images"),
		Peer: &imageapi.Client{HTTP: n.to(pki.Images), Stall: imageStall, Clock: n.clock}})
}

func (n *controlNode) imageDoor() *imageapi.Door {
	return &imageapi.Door{Store: n.images, Take: n.replicas.Take, MaxBytes: n.conf.Public.MaxImageBytes, Log: n.log.With("part", "imageapi")}
}

// otherNodes are the internal ports of the other control nodes.
func (n *controlNode) otherNodes() (out []string) {
	for c := range n.machine.View().ControlNodes() {
		if string(c.ID) != n.id {
			out = append(out, c.Address)
		}
	}
	return out
}

// wantedImages are the bytes that images name.
func (n *controlNode) wantedImages() (out []imagestore.Entry) {
	for i := range n.machine.View().Images() {
		if i.SHA256 != "" {
			out = append(out, imagestore.Entry{SHA256: i.SHA256, Size: i.Size})
		}
	}
	return out
}
