package kafka

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/targets"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// FuzzRecords: whatever a broker sends as records, they are read or refused as invalid. What is read without
// compression is read alike by franz-go's second decoder.
func FuzzRecords(f *testing.F) {
	whole := appendBatch(nil, &record{
		timestamp: 1_700_000_000_000, key: []byte("k"), value: []byte(`{"id":1}`),
		headers: []header{{"h", []byte("v")}, {"n", nil}},
	}, producer{-1, -1}, -1)
	f.Add(whole)
	f.Add(append(bytes.Clone(whole), whole[:40]...))
	f.Add(whole[:70])
	for by := range byte(8) {
		b := bytes.Clone(whole)
		b[batchSummed+1] = by
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, fix := range []bool{false, true} { // behind a right checksum the rest is reached
			if fix {
				if len(b) < batchHeaderSize {
					return
				}
				b = bytes.Clone(b)
				binary.BigEndian.PutUint32(b[batchLengthAt:], uint32(len(b)-batchFrom))
				b[batchSumAt-1] = batchMagic
				binary.BigEndian.PutUint32(b[batchSumAt:], checksum(b))
			}
			n := 0
			_, err := readRecords(b, 0, 0, nil, newRoom(new(budget.Claim)), func(r *record) { n++ })
			if err != nil && targets.CauseOf(err) != scenarios.Protocol {
				t.Fatal(err)
			}
			var second kmsg.RecordBatch
			if err != nil || !fix || second.ReadFrom(b) != nil || second.Attributes&(compressionMask|controlBatch) != 0 ||
				second.FirstOffset < 0 || second.FirstOffset > 1<<40 {
				continue
			}
			rest, m := second.Records, 0
			for range second.NumRecords {
				size, width := binary.Varint(rest)
				var one kmsg.Record
				if width <= 0 || size < 0 || one.ReadFrom(rest[:min(len(rest), width+int(size))]) != nil {
					break
				}
				rest = rest[width+int(size):]
				if second.FirstOffset+int64(one.OffsetDelta) >= 0 {
					m++
				}
			}
			if m > n {
				t.Fatalf("%d records, and franz-go reads %d", n, m)
			}
		}
	})
}

// compressed returns a batch of records with offsets from first, compressed.
func compressed(t *testing.T, by byte, first int64, records ...record) []byte {
	t.Helper()
	var body []byte
	for i := range records {
		one := appendRecord(nil, &records[i])
		one = append([]byte{0, 0}, append(binary.AppendVarint(nil, int64(i)), one[3:]...)...)
		body = append(binary.AppendVarint(body, int64(len(one))), one...)
	}
	var out bytes.Buffer
	var w io.WriteCloser
	switch by {
	case byGzip:
		w = gzip.NewWriter(&out)
	case byLZ4:
		w = lz4.NewWriter(&out)
	case byZstd:
		w, _ = zstd.NewWriter(&out)
	case bySnappy:
		out.Write(s2.EncodeSnappy(nil, body))
	}
	if w != nil {
		_, _ = w.Write(body)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b := appendBatch(nil, &record{}, producer{-1, -1}, -1)[:batchHeaderSize]
	b = append(b, out.Bytes()...)
	binary.BigEndian.PutUint64(b, uint64(first))
	binary.BigEndian.PutUint32(b[batchLengthAt:], uint32(len(b)-batchFrom))
	b[batchSummed+1] = by
	binary.BigEndian.PutUint32(b[batchSummed+2:], uint32(len(records)-1))
	binary.BigEndian.PutUint32(b[batchHeaderSize-4:], uint32(len(records)))
	binary.BigEndian.PutUint32(b[batchSumAt:], checksum(b))
	return b
}

// TestRecords_Bomb: an answer that expands to far more than it has is read in parts that memory has room for, and every
// record once.
func TestRecords_Bomb(t *testing.T) {
	var claim budget.Claim
	defer claim.Release()
	many := make([]record, 1_500_000) // that have nothing, and so overhead alone
	for _, c := range []struct {
		name           string
		by             byte
		records        []record
		batches, parts int
	}{
		{"gzip", byGzip, []record{{value: make([]byte, 7<<20)}}, 10, 4},
		{"snappy", bySnappy, []record{{value: make([]byte, 7<<20)}}, 10, 4},
		{"lz4", byLZ4, []record{{value: make([]byte, 7<<20)}}, 10, 4},
		{"zstd", byZstd, []record{{value: make([]byte, 7<<20)}}, 10, 4},
		{"small records", byZstd, many, 1, 9},
		{"small records in several batches", byZstd, many[:500_000], 3, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			var all []byte
			at := []int{} // where each batch begins
			for i := range c.batches {
				at = append(at, len(all))
				all = append(all, compressed(t, c.by, int64(i*len(c.records)), c.records...)...)
			}
			from, parts := int64(0), 0
			for n := int64(c.batches * len(c.records)); from < n; parts++ {
				held, taken, want := 0, 0, from
				claim.Release()
				next, err := readRecords(all[at[int(from)/len(c.records)]:], 0, from, nil, newRoom(&claim), func(r *record) {
					if r.offset != want {
						t.Fatalf("record %d, want %d", r.offset, want)
					}
					held, taken, want = held+len(r.value), taken+1, want+1
				})
				if err != nil || next != want || taken == 0 || held > mostHeld || taken*recordMemory > mostOverhead+recordMemory {
					t.Fatalf("%d to %d: %d records, %d MiB, %v", from, next, taken, held>>20, err)
				}
				from = next
			}
			if parts != c.parts {
				t.Errorf("%d parts, want %d", parts, c.parts)
			}
		})
	}
	for _, by := range []byte{byGzip, bySnappy, byLZ4, byZstd} {
		b := compressed(t, by, 0, record{value: make([]byte, mostHeld)})
		claim.Release()
		_, err := readRecords(b, 0, 0, nil, newRoom(&claim), func(*record) { t.Error("it is taken") })
		if !errors.Is(err, errLarge) {
			t.Errorf("compression %d: %v", by, err)
		}
	}
	claim.Release()
	b := compressed(t, byZstd, 0, record{headers: make([]header, mostOverhead/headerMemory+1)})
	if _, err := readRecords(b, 0, 0, nil, newRoom(&claim), func(*record) { t.Error("it is taken") }); err == nil ||
		!strings.Contains(err.Error(), "the headers of a record are over 16 MiB") {
		t.Error(err)
	}
}

// TestRecord: franz-go's decoder reads a batch as it was written.
func TestRecord(t *testing.T) {
	b := appendBatch(nil, &record{
		timestamp: 1_700_000_000_123, key: []byte("k"), headers: []header{{"h", []byte("v")}, {"n", nil}},
	}, producer{7, 2}, 5)
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(b); err != nil {
		t.Fatal(err)
	}
	var r kmsg.Record
	if err := r.ReadFrom(batch.Records); err != nil {
		t.Fatal(err)
	}
	if batch.Magic != 2 || batch.NumRecords != 1 || batch.FirstTimestamp != 1_700_000_000_123 || batch.ProducerID != 7 ||
		batch.ProducerEpoch != 2 || batch.FirstSequence != 5 || uint32(batch.CRC) != checksum(b) ||
		int(batch.Length) != len(b)-batchFrom {
		t.Errorf("%+v", batch)
	}
	if string(r.Key) != "k" || r.Value != nil || len(r.Headers) != 2 || r.Headers[0].Key != "h" ||
		string(r.Headers[0].Value) != "v" || r.Headers[1].Value != nil {
		t.Errorf("%+v", r)
	}
}

// TestMurmur2 takes the values of Kafka's own test of the hash (org.apache.kafka.common.utils.UtilsTest).
func TestMurmur2(t *testing.T) {
	for text, want := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(text))); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// FuzzAnswers: whatever a broker answers to a request, it is parsed or refused, and no panic remains.
func FuzzAnswers(f *testing.F) {
	f.Add(uint8(0), []byte{0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	f.Add(uint8(1), []byte{0, 0, 0, 5, 0, 0, 0, 1, 0xff})
	f.Add(uint8(2), []byte{0x7f, 0xff, 0xff, 0xff})
	requests := []kmsg.Request{
		kmsg.NewPtrApiVersionsRequest(), kmsg.NewPtrMetadataRequest(), kmsg.NewPtrProduceRequest(), kmsg.NewPtrFetchRequest(),
		kmsg.NewPtrListOffsetsRequest(), kmsg.NewPtrFindCoordinatorRequest(), kmsg.NewPtrJoinGroupRequest(),
		kmsg.NewPtrSyncGroupRequest(), kmsg.NewPtrHeartbeatRequest(), kmsg.NewPtrOffsetCommitRequest(),
		kmsg.NewPtrOffsetFetchRequest(), kmsg.NewPtrInitProducerIDRequest(), kmsg.NewPtrSASLHandshakeRequest(),
		kmsg.NewPtrSASLAuthenticateRequest(),
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		req := requests[int(which)%len(requests)]
		c := &conn{}
		if _, err := c.encode(nil, req); err != nil {
			t.Fatal(err)
		}
		message, err := readMessage(bufio.NewReader(bytes.NewReader(b)), nil)
		if err != nil {
			return
		}
		resp, err := c.decode(message, req)
		if err != nil {
			if targets.CauseOf(err) != scenarios.Protocol {
				t.Fatal(err)
			}
			return
		}
		switch resp := resp.(type) {
		case *kmsg.MetadataResponse:
			k := newCluster(&client{})
			_ = k.read(resp, "", "a:1")
		case *kmsg.SyncGroupResponse:
			_, _ = partitionsOf(resp.MemberAssignment, "a", 3)
		}
	})
}

// TestAborted: the marker of an aborted transaction without records, which a broker does not list, ends none of the
// listed ones.
func TestAborted(t *testing.T) {
	a := aborted{7: {11}}
	a.over(7, 10)
	if !a.covers(7, 11) {
		t.Error("the marker at 10 ended the transaction that begins at 11")
	}
	a.over(7, 13)
	if a.covers(7, 14) {
		t.Error("the transaction goes on behind its marker at 13")
	}
}
