package traces

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// A field is a field of a message in protobuf.
type field struct {
	number protowire.Number
	bytes  []byte // of a text or a message; otherwise nil
	value  uint64 // of a number
}

// fields calls do with each field of a message.
func fields(b []byte, do func(f field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		f := field{number: number}
		switch kind {
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.value, n = protowire.ConsumeFixed64(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

// readProtobuf calls add with the spans of an ExportTraceServiceRequest, and the name of the service of each. The
// numbers are those of opentelemetry/proto/trace/v1/trace.proto.
func readProtobuf(b []byte, add func(service string, r *received)) error {
	return fields(b, func(resourceSpans field) error {
		if resourceSpans.number != 1 {
			return nil
		}
		service := unnamed
		if err := fields(resourceSpans.bytes, func(f field) error {
			if f.number != 1 {
				return nil
			}
			return readResource(f.bytes, &service)
		}); err != nil {
			return err
		}
		return fields(resourceSpans.bytes, func(scopeSpans field) error {
			if scopeSpans.number != 2 {
				return nil
			}
			return fields(scopeSpans.bytes, func(f field) error {
				if f.number != 2 {
					return nil
				}
				var r received
				if err := readSpan(f.bytes, &r); err != nil {
					return err
				}
				add(service, &r)
				return nil
			})
		})
	})
}

// The name of the service of a span, and the name of one that has none.
const (
	serviceName = "service.name"
	unnamed     = "unknown_service"
)

// readResource reads the name of the service.
func readResource(b []byte, service *string) error {
	return fields(b, func(attribute field) error {
		if attribute.number != 1 {
			return nil
		}
		var key string
		var value []byte
		if err := fields(attribute.bytes, func(f field) error {
			switch f.number {
			case 1:
				key = string(f.bytes[:min(len(f.bytes), longestName)])
			case 2:
				value = f.bytes
			}
			return nil
		}); err != nil || key != serviceName {
			return err
		}
		return fields(value, func(f field) error {
			if f.number == 1 && len(f.bytes) > 0 {
				*service = string(f.bytes[:min(len(f.bytes), longestName)])
			}
			return nil
		})
	})
}

func readSpan(b []byte, r *received) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			r.trace = f.bytes
		case 2:
			r.id = f.bytes
		case 4:
			r.parent = f.bytes
		case 5:
			r.name = string(f.bytes[:min(len(f.bytes), longestName)])
		case 6:
			r.kind = f.value
		case 7:
			r.begin = f.value
		case 8:
			r.end = f.value
		}
		return nil
	})
}
