package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"brunt/scenarios/budget"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// The compressions of a batch.
const (
	notCompressed = iota
	byGzip
	bySnappy
	byLZ4
	byZstd
)

// unzstd decompresses without goroutines of its own.
var unzstd = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxZstd))
})

// maxZstd is the maximum size in bytes of what a batch holds.
const maxZstd = mostHeld

// errLarge is the error of a batch that holds more than is allowed.
var errLarge = bad("a batch of records is over %d MiB", mostHeld>>20)

// decompress returns what a batch holds, at most most bytes; if it is more, the error is errLarge.
func decompress(by int16, b []byte, most int, claim *budget.Claim) (out []byte, err error) {
	switch by {
	case notCompressed:
		out = b
	case byGzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(b)); err == nil {
			out, err = claim.ReadAll(r, most)
		}
	case bySnappy:
		out, err = unsnappy(b, most, claim)
	case byLZ4:
		out, err = claim.ReadAll(lz4.NewReader(bytes.NewReader(b)), most)
	case byZstd:
		var d *zstd.Decoder
		if d, err = unzstd(); err == nil {
			if err = claim.Wait(zstdSize(b, most)); err == nil {
				out, err = d.DecodeAll(b, nil)
			}
		}
	default:
		return nil, bad("a batch of records has the unknown compression %d", by)
	}
	switch {
	case budget.Over(err) != nil:
		return nil, err
	case len(out) > most, errors.Is(err, errLarge), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, errLarge
	case err != nil:
		return nil, bad("a batch of records can't be decompressed: %v", err)
	}
	return out, nil
}

// zstdSize returns how much a batch holds at most.
func zstdSize(b []byte, most int) int {
	var head zstd.Header
	if head.Decode(b) == nil && head.HasFCS {
		return int(min(head.FrameContentSize, uint64(most)))
	}
	return most
}

// xerial begins what Java's snappy writes: its magic bytes, and two versions.
var xerial = []byte("\x82SNAPPY\x00")

const xerialSize = 16

// unsnappy reads a block of snappy, or the blocks of Java's snappy.
func unsnappy(b []byte, most int, claim *budget.Claim) (out []byte, err error) {
	block := func(b []byte) ([]byte, error) {
		switch n, err := s2.DecodedLen(b); {
		case err != nil:
			return nil, err
		case n > most-len(out):
			return nil, errLarge
		default:
			if err := claim.Wait(n); err != nil {
				return nil, err
			}
		}
		return s2.Decode(nil, b)
	}
	if !bytes.HasPrefix(b, xerial) || len(b) < xerialSize {
		return block(b)
	}
	for b = b[xerialSize:]; len(b) > 0; {
		if len(b) < sizeLength {
			return nil, io.ErrUnexpectedEOF
		}
		n := int(int32(binary.BigEndian.Uint32(b)))
		if b = b[sizeLength:]; n < 0 || n > len(b) {
			return nil, io.ErrUnexpectedEOF
		}
		one, err := block(b[:n])
		if err != nil {
			return nil, err
		}
		out, b = append(out, one...), b[n:]
	}
	return out, nil
}
