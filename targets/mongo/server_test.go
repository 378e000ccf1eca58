package mongo_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"brunt/targets/targetstest"
)

// server is a server of MongoDB's protocol with the behaviours that the suite needs. The name of a command says which;
// say answers all others.
type server struct {
	*targetstest.Backend
	scheme string
	options

	mu  sync.Mutex
	got []bson.Raw // the commands, apart from the login
}

// options are the settings of a server.
type options struct {
	secure   bool
	about    func() bson.D                 // more of the answer to hello; nil: nothing
	user     string                        // user:password that may log in; empty: no login
	wrong    bool                          // the signature of SCRAM is wrong
	longer   bool                          // the login wants an empty exchange, as before version 4.4
	say      func(command bson.Raw) bson.D // nil: {ok: 1}
	nonsense string                        // what is sent in place of an answer
	stale    bool                          // an error for an earlier request comes before each answer
}

// start starts a server that ends with the test.
func start(t testing.TB, o options) *server {
	s := &server{Backend: targetstest.Listen(t), scheme: "mongodb", options: o}
	var config *tls.Config
	if o.secure {
		s.scheme, config = "mongodb+tls", targetstest.Certificate()
	}
	s.Serve(t, func(raw net.Conn) {
		c := raw
		if config != nil {
			c = tls.Server(raw, config)
		}
		s.serve(raw, c)
	})
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() }

// last returns the last command, without the login.
func (s *server) last() bson.Raw {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[len(s.got)-1]
}

func (s *server) serve(raw, c net.Conn) {
	var proof prover
	for in := bufio.NewReader(c); ; {
		head := make([]byte, 21)
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		body := make([]byte, int(binary.LittleEndian.Uint32(head))-len(head))
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		var answer bson.D
		command := bson.Raw(body)
		first := command.Index(0)
		switch first.Key() {
		case "hello":
			answer = bson.D{{Key: "isWritablePrimary", Value: true}, {Key: "ok", Value: 1.0}}
			if s.about != nil {
				answer = s.about()
			}
		case "saslStart", "saslContinue":
			answer = proof.answer(s, command)
		default:
			var ends bool
			if answer, ends = s.answer(raw, command); ends {
				return
			}
		}
		if s.nonsense != "" && first.Key() == "answer" {
			if _, err := io.WriteString(c, s.nonsense); err != nil {
				return
			}
			continue
		}
		if s.stale && first.Key() != "hello" {
			old, _ := bson.Marshal(failed(1, "InternalError"))
			if _, err := c.Write(message([]byte("old!"), old)); err != nil {
				return
			}
		}
		doc, err := bson.Marshal(answer)
		if err != nil {
			return
		}
		if _, err := c.Write(message(head[4:8], doc)); err != nil {
			return
		}
	}
}

// message is an answer to the request with a number.
func message(to, doc []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(21+len(doc)))
	b = append(append(b, 9, 0, 0, 0), to...)
	b = append(b, "\xdd\x07\x00\x00\x00\x00\x00\x00\x00"...)
	return append(b, doc...)
}

func (s *server) answer(raw net.Conn, command bson.Raw) (answer bson.D, ends bool) {
	s.mu.Lock()
	s.got = append(s.got, command)
	s.mu.Unlock()
	first := command.Index(0)
	mark, _ := first.Value().StringValueOK()
	switch {
	case !s.Behave(raw, first.Key(), mark):
		return nil, true
	case first.Key() == "fail":
		return failed(112, "WriteConflict"), false
	case s.say != nil:
		return s.say(command), false
	}
	return bson.D{{Key: "ok", Value: 1.0}}, false
}

// failed is the answer to a command that fails.
func failed(code int32, name string) bson.D {
	return bson.D{
		{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: "no"}, {Key: "code", Value: code}, {Key: "codeName", Value: name},
	}
}

// prover is the server's side of a login by SCRAM-SHA-256, from RFC 5802.
type prover struct {
	first, nonce string
	salted       []byte
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (p *prover) answer(s *server, command bson.Raw) bson.D {
	user, password, _ := strings.Cut(s.user, ":")
	_, payload := command.Lookup("payload").Binary()
	said, done := "", false
	switch text := string(payload); {
	case strings.HasPrefix(text, "n,,"):
		p.first = text[3:]
		_, nonce, _ := strings.Cut(p.first, ",r=")
		p.nonce = nonce + "more"
		salt := []byte("salt of the user")
		p.salted, _ = pbkdf2.Key(sha256.New, password, salt, 4096, 32)
		said = "r=" + p.nonce + ",s=" + base64.StdEncoding.EncodeToString(salt) + ",i=4096"
		if !strings.HasPrefix(p.first, "n="+user+",") {
			return failed(18, "AuthenticationFailed")
		}
		p.first += "," + said
	case text == "":
		done = true
	default:
		without, proof, _ := strings.Cut(text, ",p=")
		signed := p.first + "," + without
		key := mac(p.salted, "Client Key")
		stored := sha256.Sum256(key)
		want := mac(stored[:], signed)
		subtle.XORBytes(want, want, key)
		if proof != base64.StdEncoding.EncodeToString(want) || without != "c=biws,r="+p.nonce {
			return failed(18, "AuthenticationFailed")
		}
		signature := mac(mac(p.salted, "Server Key"), signed)
		if s.wrong {
			signature[0] ^= 1
		}
		said, done = "v="+base64.StdEncoding.EncodeToString(signature), !s.longer
	}
	return bson.D{
		{Key: "conversationId", Value: int32(7)},
		{Key: "done", Value: done},
		{Key: "payload", Value: bson.Binary{Data: []byte(said)}},
		{Key: "ok", Value: 1.0},
	}
}
