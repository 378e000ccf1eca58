package auth

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"
)

// The vectors of AWS's own test suite for Signature Version 4, with its credentials and its
// time.
func TestAWS_Vectors(t *testing.T) {
	s := &awsSigner{y: AWS{
		AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		Region: "us-east-1", Service: "service",
	}}
	const letters = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for _, c := range []struct {
		name, method, path, query string
		headers                   []string // name: value
		body, signed, want        string
	}{
		{name: "get-vanilla", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{
			name: "get-header-key-duplicate", headers: []string{
				"My-Header1: value2", "My-Header1: value2",
				"My-Header1: value1",
			},
			signed: "host;my-header1;x-amz-date", want: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
		},
		{
			name: "get-header-value-multiline", headers: []string{
				"My-Header1: value1", "My-Header1: value2",
				"My-Header1: value3",
			},
			signed: "host;my-header1;x-amz-date", want: "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790",
		},
		{
			name: "get-header-value-order", headers: []string{
				"My-Header1: value4", "My-Header1: value1", "My-Header1: value3",
				"My-Header1: value2",
			},
			signed: "host;my-header1;x-amz-date", want: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
		},
		{
			name: "get-header-value-trim", headers: []string{"My-Header1:  value1", `My-Header2:  "a   b   c"`},
			signed: "host;my-header1;my-header2;x-amz-date",
			want:   "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
		},
		{
			name: "get-unreserved", path: "/" + letters,
			want: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
		},
		{name: "get-utf8", path: "/ሴ", want: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		{name: "get-relative", path: "/example/..", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "get-slash", path: "//", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "get-slash-dot-slash", path: "/./", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{
			name: "get-vanilla-empty-query-key", query: "Param1=value1",
			want: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
		},
		{
			name: "get-vanilla-query-order-key-case", query: "Param2=value2&Param1=value1",
			want: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
		},
		{
			name: "get-vanilla-query-unreserved", query: letters + "=" + letters,
			want: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
		},
		{
			name: "get-vanilla-utf8-query", query: "%E1%88%B4=bar",
			want: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
		},
		{name: "post-vanilla", method: "POST", want: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{
			name: "post-header-key-sort", method: "POST", headers: []string{"My-Header1: value1"},
			signed: "host;my-header1;x-amz-date",
			want:   "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
		},
		{
			name: "post-header-value-case", method: "POST", headers: []string{"My-Header1: VALUE1"},
			signed: "host;my-header1;x-amz-date",
			want:   "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
		},
		{
			name: "post-vanilla-query", method: "POST", query: "Param1=value1",
			want: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
		},
		{
			name: "post-vanilla-query-nonunreserved", method: "POST",
			query: "%40%23%24%25%5E=&%2B=%2F%2C%3F%3E%3C%60%22%3B%3A%5C%7C%5D%5B%7B%7D",
			want:  "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e",
		},
		{
			name: "post-vanilla-query-space", method: "POST", query: "p",
			want: "e71688addb58a26418614085fb730ba3faa623b461c17f48f2fbdb9361b94a9b",
		},
		{
			name: "post-x-www-form-urlencoded", method: "POST",
			headers: []string{"Content-Type: application/x-www-form-urlencoded"}, body: "Param1=value1",
			signed: "content-type;host;x-amz-date", want: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
		},
		{
			name: "post-x-www-form-urlencoded-parameters", method: "POST",
			headers: []string{"Content-Type: application/x-www-form-urlencoded; charset=utf8"},
			body:    "Param1=value1", signed: "content-type;host;x-amz-date",
			want: "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			sum := sha256.Sum256([]byte(c.body))
			r := awsRequest{
				method: c.method, path: c.path, query: c.query, payload: sum[:], at: time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC),
			}
			if r.method == "" {
				r.method = "GET"
			}
			if r.path == "" {
				r.path = "/"
			}
			signed := c.signed
			if signed == "" {
				signed = "host;x-amz-date"
			}
			for _, h := range append([]string{
				"X-Amz-Date: 20150830T123600Z", "User-Agent: brunt", "Host: example.amazonaws.com",
			}, c.headers...) {
				name, value, _ := strings.Cut(h, ":")
				r.headers = append(r.headers, Header{Name: name, Value: []byte(value)})
			}
			want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" + signed +
				", Signature=" + c.want
			if got, _ := s.authorization(&r); got != want {
				canonical, _ := r.canonical(false)
				t.Errorf("got %s\nwant %s\nof %q", got, want, canonical)
			}
		})
	}
}

// The example in S3's documentation; S3 takes paths as sent.
func TestAWS_S3(t *testing.T) {
	s := &awsSigner{y: AWS{
		AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		Region: "us-east-1", Service: "s3",
	}}
	sum := sha256.Sum256(nil)
	r := awsRequest{
		method: "GET", path: "/test.txt", payload: sum[:], at: time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC),
		headers: []Header{
			{Name: "Host", Value: []byte("examplebucket.s3.amazonaws.com")},
			{Name: "Range", Value: []byte("bytes=0-9")},
			{Name: "x-amz-content-sha256", Value: []byte("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")},
			{Name: "x-amz-date", Value: []byte("20130524T000000Z")},
		},
	}
	if _, got := s.authorization(&r); got != "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" {
		t.Errorf("got %s", got)
	}
	r.path = "/a%20b//c/../d"
	if canonical, _ := r.canonical(true); !strings.HasPrefix(canonical, "GET\n/a%20b//c/../d\n") {
		t.Errorf("got %q", canonical)
	}
}
