package demo

import (
	"context"
	"net/http"
	"time"
)

// The values of the switch batch.
const (
	noBatch        = "none"
	throttledBatch = "throttled"
	freeBatch      = "free"
)

const (
	readTime   = time.Millisecond       // of the disk, for a page
	exportTime = 600 * time.Millisecond // of the disk, for an export
	exportStep = 5 * time.Millisecond   // after which a throttled export lets others in
)

// A disk does one thing at a time: it reads a page, or a part of an export.
//
// A nil disk takes no time.
type disk struct {
	arm       *pool
	throttled bool // an export lets others in between its parts
}

func newDisk(e *environment) *disk {
	kind := e.oneOf("DEMO_BATCH", noBatch, throttledBatch, freeBatch)
	if kind == noBatch {
		return nil
	}
	return &disk{arm: newPool(1), throttled: kind == throttledBatch}
}

// read reads a page.
func (d *disk) read(ctx context.Context) error {
	if d == nil {
		return nil
	}
	return d.arm.hold(ctx, readTime)
}

// export reads all posts, as a batch does.
func (s *store) export(w http.ResponseWriter, r *http.Request) error {
	step := exportTime
	switch {
	case s.disk == nil:
		return &problem{status: http.StatusNotFound, text: "no such path"}
	case s.disk.throttled:
		step = exportStep
	}
	for done := time.Duration(0); done < exportTime; done += step {
		if err := s.disk.arm.hold(r.Context(), step); err != nil {
			return err
		}
	}
	items, err := s.items(1, keptPosts)
	if err != nil {
		return s.broken("reading all posts", err)
	}
	writeJSON(w, http.StatusOK, map[string]int{"posts": len(items)})
	return nil
}
