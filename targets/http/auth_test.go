package http_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// heard is a server that records its requests.
type heard struct {
	*httptest.Server
	list   []*nethttp.Request
	bodies [][]byte
	code   int
	say    string
	to     string // where it redirects to
}

func newHeard(t testing.TB) *heard {
	h := &heard{code: 200}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *heard) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	b, _ := io.ReadAll(r.Body)
	h.list, h.bodies = append(h.list, r), append(h.bodies, b)
	if h.to != "" && r.URL.Path != "/there" {
		nethttp.Redirect(w, r, h.to, nethttp.StatusTemporaryRedirect)
		return
	}
	w.WriteHeader(h.code)
	_, _ = io.WriteString(w, h.say+r.Header.Get("Authorization"))
}

func (h *heard) last() *nethttp.Request { return h.list[len(h.list)-1] }

// bearer returns the claims of a token after it checks the signature with verify.
func bearer(
	t *testing.T, header string, verify func(signed string, signature []byte) bool,
) (head, claims map[string]any) {
	t.Helper()
	token, ok := strings.CutPrefix(header, "Bearer ")
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 {
		t.Fatalf("got %q", header)
	}
	for i, into := range []*map[string]any{&head, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !verify(parts[0]+"."+parts[1], signature) {
		t.Fatalf("the signature is not right: %v", err)
	}
	return head, claims
}

func pemOf(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Each algorithm is checked by Go's own cryptography, with the public key alone.
func TestJWT_Algorithms(t *testing.T) {
	rk, err := rsa.GenerateKey(crand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curves := map[string]*ecdsa.PrivateKey{}
	for alg, curve := range map[string]elliptic.Curve{
		"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521(),
	} {
		if curves[alg], err = ecdsa.GenerateKey(curve, crand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	_, ek, err := ed25519.GenerateKey(crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}
	digest := func(alg, s string) (crypto.Hash, []byte) {
		h := hashes[alg[2:]]
		w := h.New()
		w.Write([]byte(s))
		return h, w.Sum(nil)
	}
	const secret = "not so long a secret, but one"
	for _, alg := range []string{
		"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
	} {
		t.Run(alg, func(t *testing.T) {
			key := `"` + secret + `"`
			verify := func(signed string, signature []byte) bool {
				h := hashes[alg[2:]]
				mac := hmac.New(h.New, []byte(secret))
				mac.Write([]byte(signed))
				return hmac.Equal(mac.Sum(nil), signature)
			}
			file := func(k any) string { return `{file: "` + written(t, "key.pem", pemOf(t, k)) + `"}` }
			switch alg[:2] {
			case "RS":
				key = file(rk)
				verify = func(signed string, signature []byte) bool {
					h, sum := digest(alg, signed)
					return rsa.VerifyPKCS1v15(&rk.PublicKey, h, sum, signature) == nil
				}
			case "PS":
				key = file(rk)
				verify = func(signed string, signature []byte) bool {
					h, sum := digest(alg, signed)
					return rsa.VerifyPSS(&rk.PublicKey, h, sum, signature,
						&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
				}
			case "ES":
				key = file(curves[alg])
				verify = func(signed string, signature []byte) bool {
					_, sum := digest(alg, signed)
					half := len(signature) / 2
					return ecdsa.Verify(&curves[alg].PublicKey, sum, new(big.Int).SetBytes(signature[:half]),
						new(big.Int).SetBytes(signature[half:]))
				}
			case "Ed":
				key = file(ek)
				verify = func(signed string, signature []byte) bool {
					return ed25519.Verify(ek.Public().(ed25519.PublicKey), []byte(signed), signature)
				}
			}
			s := newHeard(t)
			r := newFixtureWith(t, targets.Options{Base: s.URL, Timeout: long},
				`data: {users: {inline: [{id: 17, name: "a\"b"}]}}
auth: {jwt: {alg: `+alg+`, key: `+key+
					`, kid: k1, header: {typ: at+jwt}, expires: 2m, claims: {sub: "${data.users.id}", name: "n ${data.users.name}", `+
					`aud: [a, b], deep: {x: null}}}}`, `get: /`)
			before := time.Now().Unix()
			r.want(r.user(0).Do(0, long), "ok 200")
			head, claims := bearer(t, s.last().Header.Get("Authorization"), verify)
			if head["alg"] != alg || head["kid"] != "k1" || head["typ"] != "at+jwt" {
				t.Errorf("header %v", head)
			}
			iat, _ := claims["iat"].(float64)
			exp, _ := claims["exp"].(float64)
			if iat < float64(before) || iat > float64(time.Now().Unix()) || exp != iat+120 || len(claims["jti"].(string)) != 32 {
				t.Errorf("claims %v", claims)
			}
			if claims["sub"] != 17. || claims["name"] != `n a"b` || fmt.Sprint(claims["aud"]) != "[a b]" ||
				fmt.Sprint(claims["deep"]) != "map[x:<nil>]" {
				t.Errorf("claims %v", claims)
			}
		})
	}
}

// A token is signed once per iteration, and again when a variable in it changes.
func TestJWT_PerIteration(t *testing.T) {
	s := newHeard(t)
	s.say = `{"a": 1}`
	r := newFixtureWith(t, targets.Options{Base: s.URL, Timeout: long},
		`auth: {jwt: {alg: HS256, key: sesame, claims: {sub: "${var.who}", n: "${int(1,1000000)}", jti: mine}}}`, `get: /`)
	u := r.user(0)
	next := func() string {
		t.Helper()
		r.want(u.Do(0, long), "ok 200")
		return s.last().Header.Get("Authorization")
	}
	r.want(u.Do(0, long), "no data") // no user is known yet
	u.It.Vars[0].SetText("ann")
	first := next()
	if again := next(); again != first {
		t.Error("the second request of an iteration has another token")
	}
	u.It.Vars[0].SetText("bob")
	changed := next()
	if changed == first {
		t.Error("a variable that changed is not in the token")
	}
	u.It.N++
	u.It.Reset()
	if next() == changed {
		t.Error("the next iteration has the same token")
	}
	_, claims := bearer(t, s.last().Header.Get("Authorization"), func(string, []byte) bool { return true })
	if claims["jti"] != "mine" || claims["sub"] != "bob" {
		t.Errorf("%v", claims)
	}
}

// The time to sign is brunt's own: it counts as lag, not as queue time.
func TestSigned_Lag(t *testing.T) {
	rk, err := rsa.GenerateKey(crand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := newHeard(t)
	r := newFixtureWith(t, targets.Options{Base: s.URL, Timeout: long},
		`auth: {jwt: {alg: RS512, key: {file: "`+written(t, "k.pem", pemOf(t, rk))+`"}}}`,
		`get: /`, `{get: /, auth: off}`)
	u := r.user(0)
	o := u.Do(0, long)
	r.want(o, "ok 200")
	// even the fastest machine takes longer
	if lag, queue := o.Lag(), o.Queue(); lag < queue || lag < 100*time.Microsecond {
		t.Errorf("lag %v, queue %v", lag, queue)
	}
	r.want(u.Do(1, long), "ok 200")
	if got := s.last().Header.Get("Authorization"); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestAuth_Basic(t *testing.T) {
	s := newHeard(t)
	r := newFixtureWith(t, targets.Options{Base: s.URL}, `data: {users: {inline: [{name: Aladdin}]}}
auth: {basic: {user: "${data.users.name}", password: "open sesame"}}`, `get: /`,
		`{get: /, headers: {authorization: mine}}`,
		`{get: /, auth: {basic: {user: "", password: x}, header: X-Auth, scheme: ""}}`)
	u := r.user(0)
	for i, want := range []string{"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "mine"} {
		r.want(u.Do(i, long), "ok 200")
		if got := s.last().Header["Authorization"]; len(got) != 1 || got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	r.want(u.Do(2, long), "ok 200")
	if h := s.last().Header; h.Get("X-Auth") != "Ong=" || h.Get("Authorization") != "" {
		t.Errorf("got %v", h)
	}
}

// Credentials go only to the origin that the author wrote, not to a redirect's target, nor to
// an origin from an answer.
func TestAuth_StaysWithItsOrigin(t *testing.T) {
	for _, c := range []struct{ name, block, header string }{
		{"basic", `auth: {basic: {user: a, password: b}}`, "Authorization"},
		{"jwt", `auth: {jwt: {alg: HS256, key: sesame}, header: X-Token}`, "X-Token"},
		{
			"hmac", `sign: {hmac: {key: sesame, over: "${request.target}", headers: {X-Date: "${request.date}"}}}`,
			"X-Signature",
		},
		{"aws", `sign: {aws: {access_key: a, secret_key: b, region: c, service: d}}`, "Authorization"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, other := newHeard(t), newHeard(t)
			r := newFixtureWith(t, targets.Options{Base: target.URL}, c.block, `get: /`, `get: "${var.next}"`,
				`get: "`+other.URL+`/"`)
			u := r.user(0)
			target.to = "/there"
			r.want(u.Do(0, long), "ok 200")
			if len(target.list) != 2 || target.list[0].Header.Get(c.header) == "" || target.list[1].Header.Get(c.header) == "" {
				t.Error("the target does not get it, or does not get it again after a redirect to itself")
			}
			if same := target.list[0].Header.Get(c.header) == target.list[1].Header.Get(c.header); same != (c.name == "basic" ||
				c.name == "jwt") {
				t.Error("a redirected request must be signed again, and keep its token")
			}
			target.to = other.URL + "/there"
			r.want(u.Do(0, long), "ok 200")
			u.It.Vars[0].SetText(other.URL + "/x")
			r.want(u.Do(1, long), "ok 200")
			if len(other.list) != 2 {
				t.Fatalf("%d requests", len(other.list))
			}
			for _, q := range other.list {
				for _, name := range []string{c.header, "Authorization", "X-Date", "X-Amz-Date"} {
					if q.Header.Get(name) != "" {
						t.Errorf("%s sent another host %s: %s", q.URL, name, q.Header.Get(name))
					}
				}
			}
			target.to = ""
			u.It.Vars[0].SetText(target.URL + "/y")
			r.want(u.Do(1, long), "ok 200")
			if target.last().Header.Get(c.header) == "" {
				t.Error("an answer that points to the target itself lost it")
			}
			r.want(u.Do(2, long), "ok 200") // the author wrote it
			if other.last().Header.Get(c.header) == "" {
				t.Error("a URL that the author wrote has none")
			}
		})
	}
}

// Credentials that a target echoes appear in no sample.
func TestAuth_Concealed(t *testing.T) {
	for _, block := range []string{
		`auth: {basic: {user: ann, password: geheim}}`, `auth: {jwt: {alg: HS256, key: sesame}}`,
		`sign: {hmac: {key: sesame, over: "${request.target}", header: Authorization}}`,
		`sign: {aws: {access_key: a, secret_key: b, region: c, service: d}}`,
	} {
		k := &samples{}
		s := newHeard(t)
		s.code, s.say = 403, "who is "
		r := newFixtureWith(t, targets.Options{Base: s.URL, Sampler: k}, block, `get: /`)
		r.want(r.user(0).Do(0, long), "status 403")
		sent := s.last().Header.Get("Authorization")
		sent = sent[strings.LastIndexAny(sent, " =")+1:]
		if body := k.last().Body; sent != "" && strings.Contains(body, sent) || !strings.Contains(body, "***") {
			t.Errorf("%s: the sample says %q", block, body)
		}
		if said := fmt.Sprint(*k.last().Sent.Conceal(nil)); sent != "" && strings.Contains(said, sent) ||
			!strings.Contains(said, "***") {
			t.Errorf("%s: what was sent is %s", block, said)
		}
	}
}

// A signature follows the author's settings; checked by hashing the received request.
func TestHMAC(t *testing.T) {
	const key = "sesame street"
	content := noise(40 << 10)
	file := written(t, "a.bin", content)
	sha := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	for _, c := range []struct {
		name, sign, step string
		header           string
		want             func(q *nethttp.Request, body []byte) string
	}{
		{
			"the usual", `{key: ` + key +
				`, over: "${request.method}\n${request.path}\n${request.query}\n${request.header.x-date}\n${request.body.sha256}", ` +
				`headers: {X-Date: "${request.date}"}}`,
			`{post: "/a%20b?x=1&y=${int(2,2)}", json: {n: "${int(3,3)}"}}`, "X-Signature",
			func(q *nethttp.Request, body []byte) string {
				at, err := nethttp.ParseTime(q.Header.Get("X-Date"))
				if err != nil || time.Since(at) > time.Minute {
					t.Errorf("date %q", q.Header.Get("X-Date"))
				}
				mac := hmac.New(sha256.New, []byte(key))
				fmt.Fprintf(mac, "POST\n/a%%20b\nx=1&y=2\n%s\n%s", q.Header.Get("X-Date"), sha(body))
				return hex.EncodeToString(mac.Sum(nil))
			},
		},
		{
			"base64 in a value of its own",
			`{key: {base64: c2VzYW1lIHN0cmVldA==}, alg: sha512, encoding: base64, header: Authorization, over: ` +
				`"${request.url}|${request.unix}|${request.nonce}|${request.header.content-type}|${request.header.Content-Length}", value: "HMAC ` +
				`t=${request.unix},n=${request.nonce},s=${request.signature}"}`,
			`{put: /x, form: {a: b}}`, "Authorization", func(q *nethttp.Request, body []byte) string {
				var at, nonce, sig string
				for i, p := range strings.SplitN(strings.TrimPrefix(q.Header.Get("Authorization"), "HMAC "), ",", 3) {
					*[]*string{&at, &nonce, &sig}[i] = p[2:]
				}
				mac := hmac.New(sha512.New, []byte(key))
				fmt.Fprintf(mac, "http://%s/x|%s|%s|application/x-www-form-urlencoded|3", q.Host, at, nonce)
				if got, _ := base64.StdEncoding.DecodeString(sig); !hmac.Equal(got, mac.Sum(nil)) {
					return "another signature"
				}
				return q.Header.Get("Authorization")
			},
		},
		{
			"a file, and sha1", `{key: {file: "` + written(t, "key", []byte(key)) +
				`"}, alg: sha1, over: "${request.body.md5_base64} ${request.body.sha256} ${request.body.sha512_base64} ${request.target} ${request.host}"}`,
			`{post: /up, multipart: {a: "${int(1,1)}", b: {file: "` + file + `"}}}`, "X-Signature",
			func(q *nethttp.Request, body []byte) string {
				m, h := md5.Sum(body), sha512.Sum512(body)
				mac := hmac.New(sha1.New, []byte(key))
				fmt.Fprintf(mac, "%s %s %s /up %s", base64.StdEncoding.EncodeToString(m[:]), sha(body),
					base64.StdEncoding.EncodeToString(h[:]), q.Host)
				return hex.EncodeToString(mac.Sum(nil))
			},
		},
		{
			"the body itself, of none", `{key: ` + key + `, over: "[${request.body}] ${request.body.sha256}"}`, `{get: /}`,
			"X-Signature",
			func(_ *nethttp.Request, body []byte) string {
				mac := hmac.New(sha256.New, []byte(key))
				fmt.Fprintf(mac, "[] %s", sha(nil))
				return hex.EncodeToString(mac.Sum(nil))
			},
		},
		{
			"a file alone", `{key: ` + key + `, over: "${request.body.sha256}"}`, `{post: /, body: {file: "` + file + `"}}`,
			"X-Signature",
			func(_ *nethttp.Request, body []byte) string {
				if !bytes.Equal(body, content) {
					t.Error("another body")
				}
				mac := hmac.New(sha256.New, []byte(key))
				mac.Write([]byte(sha(content)))
				return hex.EncodeToString(mac.Sum(nil))
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newHeard(t)
			r := newFixtureWith(t, targets.Options{Base: s.URL, Timeout: long}, "sign: {hmac: "+c.sign+"}", c.step)
			u := r.user(0)
			for range 2 {
				r.want(u.Do(0, long), "ok 200")
				if got, want := s.last().Header.Get(c.header), c.want(s.last(), s.bodies[len(s.bodies)-1]); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// The sent request is signed by AWS's algorithm, computed here independently.
func TestAWS_OnTheWire(t *testing.T) {
	s := newHeard(t)
	r := newFixtureWith(t, targets.Options{Base: s.URL},
		`sign: {aws: {access_key: AKID, secret_key: "se/cret", session_token: tok, region: eu-central-1, service: s3}}`,
		`{put: "/bucket/a%20b.txt?x-id=PutObject&acl", body: "${int(5,5)}", headers: {x-amz-meta-a: " b  c "}}`)
	r.want(r.user(0).Do(0, long), "ok 200")
	q := s.last()
	date, sum := q.Header.Get("X-Amz-Date"), sha256.Sum256([]byte("5"))
	body := hex.EncodeToString(sum[:])
	if q.Header.Get("X-Amz-Content-Sha256") != body || q.Header.Get("X-Amz-Security-Token") != "tok" {
		t.Errorf("%v", q.Header)
	}
	canonical := "PUT\n/bucket/a%20b.txt\nacl=&x-id=PutObject\nhost:" + q.Host + "\nx-amz-content-sha256:" + body +
		"\nx-amz-date:" + date +
		"\nx-amz-meta-a:b c\nx-amz-security-token:tok\n\n" +
		"host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token\n" + body
	sum = sha256.Sum256([]byte(canonical))
	key := []byte("AWS4se/cret")
	for _, p := range []string{
		date[:8], "eu-central-1", "s3", "aws4_request",
		"AWS4-HMAC-SHA256\n" + date + "\n" + date[:8] + "/eu-central-1/s3/aws4_request\n" + hex.EncodeToString(sum[:]),
	} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(p))
		key = mac.Sum(nil)
	}
	if got := q.Header.Get("Authorization"); !strings.HasSuffix(got, ", Signature="+hex.EncodeToString(key)) ||
		!strings.Contains(got, "Credential=AKID/"+date[:8]+"/eu-central-1/s3/aws4_request, ") {
		t.Errorf("got %s", got)
	}
}

func TestAuth_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, block, want string }{
		{"none", `auth: {}`, "`auth` wants one of oauth2, jwt, basic, or off"},
		{"two", `auth: {basic: {user: a, password: b}, jwt: {alg: HS256, key: k}}`, "not both jwt and basic"},
		{"misspelt", `auth: {oauth: {}}`, `did you mean "oauth2"?`},
		{"on", `auth: on`, "want a map of settings"},
		{"a header", `auth: {basic: {user: a, password: b}, header: "X A"}`, `"X A" is not a header name`},
		{"no password", `auth: {basic: {user: a}}`, `"password" is missing`},
		{"alg", `auth: {jwt: {alg: HS265, key: k}}`, `did you mean "HS256"?`},
		{"none is not an alg", `auth: {jwt: {alg: none, key: k}}`, "`alg` can't be"},
		{"no key", `auth: {jwt: {alg: HS256, key: ""}}`, "the key is empty"},
		{"a key for another", `auth: {jwt: {alg: RS256, key: nonsense}}`, "the key is not a key for RS256"},
		{"a key file", `auth: {jwt: {alg: RS256, key: {file: /nowhere/k.pem}}}`, "key: "},
		{"base64", `auth: {jwt: {alg: HS256, key: {base64: "!"}}}`, "the key is not base64"},
		{"a key of two", `auth: {jwt: {alg: HS256, key: {base64: "YQ==", file: x}}}`, "one of file, base64, not both"},
		{
			"the header's alg", `auth: {jwt: {alg: HS256, key: k, header: {alg: none}}}`,
			"the header can't set alg; the key `alg` beside it does",
		},
		{"no life", `auth: {jwt: {alg: HS256, key: k, expires: 0s}}`, "`expires` must be more than zero"},
		{
			"token url", `auth: {oauth2: {token_url: token, client_id: a, client_secret: b}}`,
			"neither a path, which begins with /",
		},
		{
			"token url of a request", `auth: {oauth2: {token_url: "/${var.x}", client_id: a, client_secret: b}}`,
			"the token is fetched before the load begins",
		},
		{"style", `auth: {oauth2: {token_url: /t, client_id: a, client_secret: b, style: bsic}}`, `did you mean "basic"?`},
		{"no signature", `sign: {}`, "`sign` wants one of hmac, aws, or off"},
		{
			"over itself", `sign: {hmac: {key: k, over: "${request.signature}"}}`,
			"the signature can't stand in the signed text",
		},
		{
			"a header over it", `sign: {hmac: {key: k, over: x, headers: {a: "${request.signature}"}}}`,
			"the signature can't stand in a header that is sent along",
		},
		{"a value without it", `sign: {hmac: {key: k, over: x, value: y}}`, "lacks the signature"},
		{"part", `sign: {hmac: {key: k, over: "${request.methd}"}}`, `did you mean "method"?`},
		{"hash", `sign: {hmac: {key: k, over: x, alg: sha265}}`, `did you mean "sha256"?`},
		{"no region", `sign: {aws: {access_key: a, secret_key: b, service: s3}}`, `"region" is missing`},
		{
			"both in one header",
			"auth: {basic: {user: a, password: b}}\nsign: {aws: {access_key: a, secret_key: b, region: c, service: d}}",
			"auth and sign both send the header Authorization",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := targetstest.Try(http.Descriptor(), c.block, `get: /`, `get: /b`)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if n := strings.Count(err.Error(), c.want); n != 1 && c.name != "both in one header" {
				t.Errorf("it is reported %d times: %v", n, err)
			}
			if strings.Contains(err.Error(), "nonsense") {
				t.Errorf("it tells the key: %v", err)
			}
		})
	}
}
