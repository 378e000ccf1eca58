package traces

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// mostObjects bounds the objects in a message in JSON, each of which takes some hundred bytes of memory.
const mostObjects = 200_000

// A jsonMessage is an ExportTraceServiceRequest in JSON. Ids are hexadecimal.
type jsonMessage struct {
	ResourceSpans []struct {
		Resource struct {
			Attributes []struct {
				Key   string
				Value struct{ StringValue string }
			}
		}
		ScopeSpans []struct {
			Spans []struct {
				TraceID           jsonID `json:"traceId"`
				SpanID            jsonID `json:"spanId"`
				ParentSpanID      jsonID `json:"parentSpanId"`
				Name              string
				Kind              jsonKind
				StartTimeUnixNano jsonNumber
				EndTimeUnixNano   jsonNumber
			}
		}
	}
}

// A jsonID is an id in hexadecimal.
type jsonID []byte

func (id *jsonID) UnmarshalText(b []byte) (err error) {
	*id, err = hex.DecodeString(string(b))
	return err
}

// A jsonNumber is a whole number, as a number or as a text.
type jsonNumber uint64

func (n *jsonNumber) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseUint(strings.Trim(string(b), `"`), 10, 64)
	*n = jsonNumber(v)
	return err
}

// A jsonKind is the kind of a span, as a number or by its name.
type jsonKind uint64

func (k *jsonKind) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	switch text {
	case "SPAN_KIND_CLIENT":
		*k = kindClient
		return nil
	case "SPAN_KIND_PRODUCER":
		*k = kindProducer
		return nil
	}
	if strings.HasPrefix(text, "SPAN_KIND_") {
		return nil
	}
	v, err := strconv.ParseUint(text, 10, 32)
	*k = jsonKind(v)
	return err
}

// readJSON is readProtobuf for JSON.
func readJSON(b []byte, add func(service string, r *received)) error {
	if n := bytes.Count(b, []byte("{")); n > mostObjects {
		return fmt.Errorf("more than %d objects", mostObjects)
	}
	var m jsonMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	for i := range m.ResourceSpans {
		of := &m.ResourceSpans[i]
		service := unnamed
		for _, a := range of.Resource.Attributes {
			if a.Key == serviceName && a.Value.StringValue != "" {
				service = a.Value.StringValue
			}
		}
		for j := range of.ScopeSpans {
			for k := range of.ScopeSpans[j].Spans {
				v := &of.ScopeSpans[j].Spans[k]
				add(service, &received{
					trace: v.TraceID, id: v.SpanID, parent: v.ParentSpanID, name: v.Name, kind: uint64(v.Kind),
					begin: uint64(v.StartTimeUnixNano), end: uint64(v.EndTimeUnixNano),
				})
			}
		}
	}
	return nil
}
