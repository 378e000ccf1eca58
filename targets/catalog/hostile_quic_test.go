package catalog_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/targetstest"

	"github.com/quic-go/quic-go"
)

// hostileTLS has a certificate of no known authority, for a server of HTTP/3.
var hostileTLS = sync.OnceValues(func() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h3"},
	}, nil
})

// FuzzHostile_HTTP3: whatever a server says in place of an answer, in a stream of its own, or in datagrams without a
// handshake, a call returns by its deadline, and brunt lives on. A panic of quic-go would be in a goroutine of its own,
// and end this process.
func FuzzHostile_HTTP3(f *testing.F) {
	for where := range byte(3) {
		f.Add([]byte("\x01\x04\x00\x00\xd9\x00\x01hi"), where)
		f.Add([]byte("\x00\x04\x02\x07\x40\xff"), where)
		f.Add([]byte("\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), where)
		f.Add([]byte("\xf0\x00\x00\x00\x01\x04abcd\x04efghtokentokentokentoken"), where)
	}
	f.Fuzz(callHTTP3)
}

func callHTTP3(t *testing.T, says []byte, where byte) {
	config, err := hostileTLS()
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	var all sync.WaitGroup
	defer all.Wait()
	if where %= 3; where == 2 {
		all.Go(func() {
			for b := make([]byte, 1<<16); ; {
				_, from, err := socket.ReadFromUDP(b)
				if err != nil {
					return
				}
				_, _ = socket.WriteToUDP(says, from)
			}
		})
		defer socket.Close()
	} else {
		l, err := quic.Listen(socket, config, nil)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { sayHTTP3(l, says, where == 1) })
		defer l.Close()
	}
	set := catalog.New()
	flow := targetstest.Compile(t, &targets.Descriptor{Kinds: set.Kinds(), Compile: set.Compile, Beside: set.Beside()}, "",
		`get: /`)
	o := targets.Options{
		Base: "https://" + socket.LocalAddr().String(), Timeout: time.Second, T0: time.Now(),
		TLS: &scenarios.TLS{InsecureSkipVerify: true},
	}
	o.Connections.HTTP = scenarios.HTTP3
	client, err := set.Select(flow.Calls...).Client(o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	user := flow.Open(t, client, o.T0, 0)
	out := user.Do(0, 100*time.Millisecond)
	if late := time.Since(o.T0) - user.It.Deadline; late > long || out.End > user.It.Deadline {
		t.Fatalf("it came back %v after its deadline: %+v", late, out)
	}
}

// sayHTTP3 says the bytes on the stream of each request, or on a stream of its own, until the listener is closed.
func sayHTTP3(l *quic.Listener, says []byte, own bool) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		c, err := l.Accept(context.Background())
		if err != nil {
			return
		}
		all.Go(func() {
			if own {
				if s, err := c.OpenUniStream(); err == nil {
					_, _ = s.Write(says)
				}
			}
			for {
				s, err := c.AcceptStream(context.Background())
				if err != nil {
					return
				}
				if !own {
					_, _ = s.Write(says)
				}
				_ = s.Close()
			}
		})
	}
}
