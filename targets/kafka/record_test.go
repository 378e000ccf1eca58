package kafka

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"testing"

	"brunt/scenarios"
	"brunt/targets"

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
			_, err := readRecords(b, 0, 0, func(r *record) { n++ })
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
