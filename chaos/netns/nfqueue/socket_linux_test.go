package nfqueue

import "testing"

func FuzzMessages(f *testing.F) {
	header := []byte{0, 0, 0, 7, 8, 0, 0, 0}
	body := append([]byte{0, 0, 0, 0}, attr(attrHeader, header[:7])...)
	body = append(body, attr(attrPayload, tcp(1))...)
	body = append(body, attr(attrLength, []byte{0, 0, 5, 0})...)
	message := append([]byte{byte(16 + len(body)), 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, body...)
	f.Add(message)
	f.Add(append(message, message...))
	f.Add(message[:len(message)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		messages(b, func(_ uint16, _ uint32, body []byte) {
			if p, ok := parsePacket(body); ok && p.length < len(p.head) {
				t.Errorf("%+v is shorter than its head", p)
			}
		})
	})
}

func TestParsePacket(t *testing.T) {
	body := append([]byte{0, 0, 0, 0}, attr(attrHeader, []byte{0, 0, 1, 2, 8, 0, 4})...)
	body = append(body, attr(attrPayload, tcp(1))...)
	body = append(body, attr(attrLength, []byte{0, 0, 5, 0})...)
	p, ok := parsePacket(body)
	if !ok || p.id != 0x102 || !p.out || p.length != 0x500 || string(p.head) != string(tcp(1)) {
		t.Errorf("got %+v, %v", p, ok)
	}
	if _, ok := parsePacket(body[:4]); ok {
		t.Error("a message without a header is none of a packet")
	}
}
