package kafka

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync"

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
const maxZstd = 64 << 20

// decompress returns what a batch holds, at most most bytes.
func decompress(by int16, b []byte, most int) (out []byte, err error) {
	switch by {
	case notCompressed:
		return b, nil
	case byGzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(b)); err == nil {
			out, err = io.ReadAll(io.LimitReader(r, int64(most)+1))
		}
	case bySnappy:
		out, err = unsnappy(b, most)
	case byLZ4:
		out, err = io.ReadAll(io.LimitReader(lz4.NewReader(bytes.NewReader(b)), int64(most)+1))
	case byZstd:
		var d *zstd.Decoder
		if d, err = unzstd(); err == nil {
			out, err = d.DecodeAll(b, nil)
		}
	default:
		return nil, bad("a batch of records has the unknown compression %d", by)
	}
	switch {
	case err != nil:
		return nil, bad("a batch of records can't be decompressed: %v", err)
	case len(out) > most:
		return nil, bad("a batch of records is over %d MiB", most>>20)
	}
	return out, nil
}

// xerial begins what Java's snappy writes: its magic bytes, and two versions.
var xerial = []byte("\x82SNAPPY\x00")

const xerialSize = 16

// unsnappy reads a block of snappy, or the blocks of Java's snappy.
func unsnappy(b []byte, most int) (out []byte, err error) {
	block := func(b []byte) ([]byte, error) {
		if n, err := s2.DecodedLen(b); err != nil || n > most-len(out) {
			return nil, bad("a block of snappy is too long or broken")
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
