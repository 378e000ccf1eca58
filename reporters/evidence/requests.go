package evidence

import (
	"bufio"
	"errors"
	"fmt"
	"path/filepath"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"

	"github.com/klauspost/compress/zstd"
)

// RequestsFile is the name of the file with every single request of a run, compressed with zstd. It exists if the run
// keeps them.
const RequestsFile = "requests.zst"

// ErrNoRequests means that a format needs every single request, but the run kept none.
var ErrNoRequests = errors.New("the run kept no single requests; `brunt run --requests` does")

// A requestFile is a source of the requests in a file.
type requestFile struct {
	path     string
	families []scenarios.CauseFamily // of the causes of its requests
}

func (k requestFile) Open() (*result.RequestsReader, func(), error) {
	f, err := disk.Open(k.path)
	if err != nil {
		return nil, nil, err
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	end := func() {
		z.Close()
		_ = f.Close()
	}
	r, err := result.NewRequestsReader(bufio.NewReaderSize(z, 1<<16))
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("reading %s: %w", filepath.Base(k.path), err)
	}
	r.Families = k.families
	return r, end, nil
}
