package evidence

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"math"

	"brunt/scenarios/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A histogramEncoder produces byte for byte the output of EncodeV2 of hdrhistogram, but faster: the library makes a
// compressor of a megabyte for each histogram and looks at each empty bucket, which takes milliseconds, and a run of
// an hour has thousands of histograms. The encoder uses one compressor for all.
type histogramEncoder struct {
	plain  []byte
	zipped bytes.Buffer
	zip    *zlib.Writer
	out    []byte
}

func newHistogramEncoder() *histogramEncoder {
	e := &histogramEncoder{}
	e.zip, _ = zlib.NewWriterLevel(&e.zipped, zlib.BestCompression) // the level is valid
	return e
}

// The parts of an encoded histogram that do not depend on its values. The cookies say that the encoding of counts has
// a variable length.
const (
	plainCookie  = uint32(hdrhistogram.V2EncodingCookieBase | 0x10)
	zippedCookie = uint32(hdrhistogram.V2CompressedEncodingCookieBase | 0x10)
)

// histogram encodes a histogram, fast if it has brunt's bounds. The bytes are valid until the next call.
func (e *histogramEncoder) histogram(h *hdrhistogram.PackedHistogram) ([]byte, error) {
	own := h.LowestTrackableValue() == result.HistMin && h.HighestTrackableValue() == result.HistMax &&
		h.SignificantFigures() == result.HistDigits
	if !own || h.TotalCount() == 0 {
		return h.EncodeV2()
	}
	b := binary.BigEndian.AppendUint32(e.plain[:0], plainCookie)
	b = binary.BigEndian.AppendUint32(b, 0) // the length of the counts, set below
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, result.HistDigits)
	b = binary.BigEndian.AppendUint64(b, result.HistMin)
	b = binary.BigEndian.AppendUint64(b, result.HistMax)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(1)) // a value is an integer
	head, next := len(b), 0
	for us, n := range h.ForEachBucket {
		at := result.HistBucket(uint32(us))
		if zeros := at - next; zeros == 1 {
			b = binary.AppendVarint(b, 0)
		} else if zeros > 1 {
			b = binary.AppendVarint(b, -int64(zeros))
		}
		b = binary.AppendVarint(b, n)
		next = at + 1
	}
	binary.BigEndian.PutUint32(b[4:], uint32(len(b)-head))
	e.plain = b
	e.zipped.Reset()
	e.zip.Reset(&e.zipped)
	if _, err := e.zip.Write(b); err != nil {
		return nil, err
	}
	if err := e.zip.Close(); err != nil {
		return nil, err
	}
	zipped := e.zipped.Bytes()
	whole := binary.BigEndian.AppendUint32(b[:0], zippedCookie)
	whole = binary.BigEndian.AppendUint32(whole, uint32(len(zipped)))
	e.plain = append(whole, zipped...)
	e.out = base64.StdEncoding.AppendEncode(e.out[:0], e.plain)
	return e.out, nil
}
