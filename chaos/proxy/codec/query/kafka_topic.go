package query

import (
	"encoding/binary"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// topics are the names of topics by their ids, by which later versions of requests name them. Brokers tell them in
// answers to Metadata. A client asks any broker of a cluster, so that what one connection tells is of use to all; an id
// is that of one topic, and a topic keeps its name.
var topics = struct {
	sync.Mutex
	of map[[16]byte]string
}{of: map[[16]byte]string{}}

const (
	mostTopics = 10_000 // whose names are known
	mostLists  = 100    // requests for names that are not answered
	withIDs    = 10     // version of Metadata from which answers have ids
)

// named returns the name of a topic that a request names, or whose id it has; empty: the id is not known.
func named(topic string, id [16]byte) string {
	if topic != "" {
		return topic
	}
	topics.Lock()
	defer topics.Unlock()
	return topics.of[id]
}

// expect notes a request whose answer tells the names of topics.
func (c *kafka) expect(a *ask) {
	if a.key != kmsg.Metadata || a.version < withIDs || len(c.lists) >= mostLists {
		return
	}
	if c.lists == nil {
		c.lists = map[uint32]int16{}
	}
	c.lists[binary.BigEndian.Uint32(a.number)] = a.version
}

// learn reads a part of an answer, behind its length.
func (c *kafka) learn(b []byte, last bool) {
	if !c.listing {
		return
	}
	c.list = append(c.list, b...)
	if len(c.list) < 4 {
		return
	}
	number := binary.BigEndian.Uint32(c.list)
	version, is := c.lists[number]
	if c.listing = is && len(c.list) <= longestAsk; c.listing && !last {
		return
	}
	if delete(c.lists, number); c.listing {
		tell(c.list[4:], version)
	}
	c.list, c.listing = nil, false
}

// tell keeps the names of topics in an answer to Metadata, without its number.
func tell(b []byte, version int16) {
	resp := kmsg.NewPtrMetadataResponse()
	if version > resp.MaxVersion() || len(b) == 0 || b[0] != 0 { // tags of the header, of which there are none so far
		return
	}
	if resp.SetVersion(version); resp.ReadFrom(b[1:]) != nil {
		return
	}
	topics.Lock()
	defer topics.Unlock()
	for _, t := range resp.Topics {
		if t.Topic != nil && t.TopicID != [16]byte{} && len(topics.of) < mostTopics {
			topics.of[t.TopicID] = *t.Topic
		}
	}
}
