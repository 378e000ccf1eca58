package kafka

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"brunt/scenarios/budget"
)

// header is a header of a record.
type header struct {
	name  string
	value []byte
}

// record is a record of a topic.
type record struct {
	partition  int32
	offset     int64
	timestamp  int64 // in milliseconds since 1970
	key, value []byte
	headers    []header
}

// producer identifies the sender of a batch, for idempotence.
type producer struct {
	id    int64 // negative: none
	epoch int16
}

// checksum returns the checksum of a batch.
func checksum(batch []byte) uint32 { return crc32.Checksum(batch[batchSummed:], castagnoli) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Places in a batch of records, format 2, in bytes (KIP-98).
const (
	batchLengthAt   = 8  // the length of what follows the length
	batchFrom       = 12 // where that begins
	batchSumAt      = 17
	batchSummed     = 21 // what the checksum covers begins
	batchHeaderSize = 61
	batchMagic      = 2
)

// abortMarker is the type of the control record that ends an aborted transaction.
const abortMarker = 0

// The attributes of a batch.
const (
	compressionMask = 7
	logAppendTime   = 1 << 3
	transactional   = 1 << 4
	controlBatch    = 1 << 5
)

// appendBatch appends a batch of one record.
func appendBatch(dst []byte, r *record, by producer, sequence int32) []byte {
	from := len(dst)
	put64 := func(v int64) { dst = binary.BigEndian.AppendUint64(dst, uint64(v)) }
	put32 := func(v int32) { dst = binary.BigEndian.AppendUint32(dst, uint32(v)) }
	put64(0) // the first offset, which the broker sets
	put32(0) // the length
	put32(-1)
	dst = append(dst, batchMagic)
	put32(0)                // the checksum
	dst = append(dst, 0, 0) // attributes
	put32(0)
	put64(r.timestamp)
	put64(r.timestamp)
	put64(by.id)
	dst = binary.BigEndian.AppendUint16(dst, uint16(by.epoch))
	put32(sequence)
	put32(1)
	body := appendRecord(nil, r)
	dst = binary.AppendVarint(dst, int64(len(body)))
	dst = append(dst, body...)
	batch := dst[from:]
	binary.BigEndian.PutUint32(batch[batchLengthAt:], uint32(len(batch)-batchFrom))
	binary.BigEndian.PutUint32(batch[batchSumAt:], checksum(batch))
	return dst
}

// appendRecord appends a record that is the first one of its batch, without its length.
func appendRecord(dst []byte, r *record) []byte {
	text := func(b []byte) {
		if b == nil {
			dst = binary.AppendVarint(dst, -1)
			return
		}
		dst = append(binary.AppendVarint(dst, int64(len(b))), b...)
	}
	dst = append(dst, 0, 0, 0) // attributes, and the distances to the batch's time and offset
	text(r.key)
	text(r.value)
	dst = binary.AppendVarint(dst, int64(len(r.headers)))
	for _, h := range r.headers {
		text([]byte(h.name))
		text(h.value)
	}
	return dst
}

// Limits of what is read of one answer, in bytes. The rest is fetched again.
const (
	mostHeld     = 24 << 20 // of batches, decompressed
	mostOverhead = 16 << 20 // of records and headers in memory, beside the batches that they refer to

	recordMemory = 100
	headerMemory = 40
)

// room is what is left of these limits.
type room struct {
	held, overhead int
	claim          *budget.Claim
}

func newRoom(by *budget.Claim) *room { return &room{held: mostHeld, overhead: mostOverhead, claim: by} }

// errFull is the error of a batch for which no room is left.
var errFull = errors.New("no room is left")

// aborted holds the first offsets of aborted transactions, by the number of the producer, in their order.
type aborted map[int64][]int64

// over notes that a marker ends a transaction of a producer. An aborted one without records is not listed.
func (a aborted) over(producer, marker int64) {
	if list := a[producer]; len(list) > 0 && list[0] <= marker {
		a[producer] = list[1:]
	}
}

// covers reports whether a batch of a producer belongs to an aborted transaction.
func (a aborted) covers(producer, first int64) bool {
	list := a[producer]
	return len(list) > 0 && list[0] <= first
}

// readRecords passes on the records of batches whose offset is at least from, as far as there is room. It leaves out
// those of aborted transactions. It returns the offset behind the last record or batch. The last batch may be cut off,
// as brokers do.
func readRecords(
	b []byte, partition int32, from int64, without aborted, in *room, take func(r *record),
) (next int64, err error) {
	next = from
	for len(b) >= batchFrom {
		n := int(int32(binary.BigEndian.Uint32(b[batchLengthAt:])))
		if n < batchHeaderSize-batchFrom {
			return next, bad("a batch of records has %d bytes", n)
		}
		if n > len(b)-batchFrom {
			return next, nil
		}
		last, err := readBatch(b[:batchFrom+n], partition, from, without, in, take)
		full := errors.Is(err, errFull)
		if err != nil && !full {
			return next, err
		}
		if next = max(next, last+1); full {
			return next, nil
		}
		b = b[batchFrom+n:]
	}
	return next, nil
}

// readBatch reads a whole batch. It returns its last offset; if no room is left, the offset of the last record that it
// passed on, or -1.
func readBatch(
	b []byte, partition int32, from int64, without aborted, within *room, take func(r *record),
) (last int64, err error) {
	in := scanner{b: b}
	first := in.int64()
	in.take(sizeLength + 4) // the length and the epoch of the leader
	if magic := in.int8(); magic != batchMagic {
		return 0, bad("a batch of records has the format %d; brunt reads format 2, of Kafka 0.11 and later", magic)
	}
	if sum := uint32(in.int32()); sum != checksum(b) {
		return 0, bad("the checksum of a batch of records is wrong")
	}
	attributes := in.int16()
	last = first + int64(in.int32())
	base, latest := in.int64(), in.int64()
	by := in.int64()
	in.take(2 + 4) // the epoch of the producer, and the sequence
	count := in.int32()
	if last < first || count < 0 {
		return 0, bad("a batch of records has %d of them, of the offsets %d to %d", count, first, last)
	}
	if attributes&controlBatch != 0 {
		marker := scanner{b: in.bytes()}
		marker.int8()
		marker.varint()
		marker.varint()
		key := scanner{b: marker.bytes()}
		key.int16() // its version
		if kind := key.int16(); kind == abortMarker && !key.short {
			without.over(by, first)
		}
		return last, nil
	}
	if attributes&transactional != 0 && without.covers(by, first) {
		return last, nil
	}
	body, err := decompress(attributes&compressionMask, in.b, within.held, within.claim)
	switch {
	case (errors.Is(err, errLarge) || budget.Over(err) != nil) && within.held < mostHeld: // it may fit by itself
		return -1, errFull
	case err != nil:
		return 0, err
	}
	within.held -= len(body)
	in = scanner{b: body}
	passed := int64(-1)
	for range count {
		one := scanner{b: in.bytes()}
		if in.short {
			return 0, bad("a batch of records is cut off")
		}
		one.int8()
		r := record{partition: partition, timestamp: base + one.varint(), offset: first + one.varint()}
		if attributes&logAppendTime != 0 {
			r.timestamp = latest
		}
		if r.offset < from {
			continue
		}
		if within.overhead <= 0 {
			return passed, errFull
		}
		alone := within.overhead == mostOverhead
		within.overhead -= recordMemory
		switch err := within.claim.Take(recordMemory); {
		case err != nil && passed >= 0:
			return passed, errFull
		case err != nil:
			return 0, err
		}
		r.key, r.value = one.bytes(), one.bytes()
		for range one.varint() {
			h := header{name: string(one.bytes()), value: one.bytes()}
			if one.short {
				break
			}
			switch within.overhead -= headerMemory + len(h.name); {
			case within.overhead > 0:
			case alone:
				return 0, bad("the headers of a record are over %d MiB", mostOverhead>>20)
			default:
				return passed, errFull
			}
			r.headers = append(r.headers, h)
		}
		if one.short {
			return 0, bad("a record is cut off")
		}
		take(&r)
		passed = max(passed, r.offset)
	}
	return last, nil
}
