package cluster

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// save keeps everything about a run that does not hold, and only the result of
// one that does.
func (r *run) save(res *Result, v Evidence) error {
	if res.Verdict == Holds {
		res.Dir = ""
		return nil
	}
	return errors.Join(r.env.History.Save(filepath.Join(r.Dir, "history.jsonl"), filepath.Join(r.Dir, "events.jsonl")), r.saveNet(),
		r.keepNodes(), saveTimeline(filepath.Join(r.Dir, "timeline.html"), r.Test, *res, v))
}

// keepNodes keeps what lies on the nodes' disks, and what they logged.
func (r *run) keepNodes() error {
	for _, h := range r.env.Cloud.Machines() {
		to := filepath.Join(r.Dir, "nodes", h.Name())
		if err := keep(r.env.bytesOf(h), filepath.Join(to, "data")); err != nil {
			return err
		}
		for _, p := range h.Processes() {
			if err := keep(h.LogFile(p.Name()), filepath.Join(to, p.Name()+".log")); err != nil {
				return err
			}
		}
	}
	return nil
}

// saveNet keeps the switch's last decisions about each pair.
func (r *run) saveNet() error {
	w, err := os.Create(filepath.Join(r.Dir, "network.jsonl"))
	if err != nil {
		return err
	}
	if err := r.env.Net.WriteCapture(w); err != nil {
		_ = w.Close()
		return err
	}
	return w.Close()
}

// keep copies a file, or a folder's regular files; what else lies there, such
// as a socket, is of no use to anybody.
func keep(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(to, rest))
	})
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
