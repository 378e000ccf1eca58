package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/dial"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// OAuth2 is the YAML of a token that brunt gets by the client credentials grant (RFC 6749, section 4.4).
type OAuth2 struct {
	syntax.Place
	// URL of the token server: a path under the target's URL, or a whole URL
	TokenURL     template.URL `yaml:"token_url,required"`
	ClientID     string       `yaml:"client_id,required"`     // identifies the load to the token server
	ClientSecret string       `yaml:"client_secret,required"` // such as ${env.CLIENT_SECRET}
	Scope        []string     `yaml:"scope"`                  // what the token should allow
	// the service that the token is for, if the token server wants it
	Audience string `yaml:"audience"`
	// how the client authenticates: with HTTP's basic scheme, or in the body; zero is basic
	Style  string            `yaml:"style,oneof=basic|body"`
	Params map[string]string `yaml:"params"` // other parameters that the server wants
}

// Tokens keeps a token fresh, outside the measured requests, so that no request waits for a token.
//
//	Fetch: before the load begins; a failure ends the run
//	Keep:  [life less a fifth, at most a minute] -> fetch -> ...
//	       a failure is reported and retried; the last token is used meanwhile
type Tokens struct {
	y     *OAuth2
	at    template.URL
	held  atomic.Pointer[heldToken]
	fetch func(ctx context.Context) (*oauth2.Token, error) // set by Open
	learn func(token string)                               // makes a token secret; set by Open
}

type heldToken struct {
	text    []byte
	expires time.Time // zero: never, or the server did not say
}

// tokens checks the settings.
func (y *OAuth2) tokens(in targets.Scope, m *syntax.Mistakes) *Tokens {
	targets.CheckURL(&y.TokenURL, in, m)
	for _, r := range y.TokenURL.Refs() {
		if r.Kind != syntax.RefUnit {
			m.Add(y.Of("token_url"),
				"%s: the token is fetched before the load begins; its URL can name only units and values that are known by then", r)
		}
	}
	in.AddSecret(y.ClientSecret)
	return &Tokens{y: y, at: y.TokenURL}
}

// URL returns the URL of the token server as written.
func (k *Tokens) URL() string { return k.at.Text() }

// Units returns the names of the units that the URL of the token server refers to, such as auth[0].
func (k *Tokens) Units() []string {
	var out []string
	for _, r := range k.at.Refs() {
		out = append(out, syntax.UnitName(r.Name, r.Index))
	}
	return out
}

// fetchTimeout limits the fetch of one token.
const fetchTimeout = 10 * time.Second

// Open prepares the fetches. O says how the target is reached. The token server is reached in the same way, with the
// same names and within the same blast radius.
func (k *Tokens) Open(o targets.Options, env *template.Env) error {
	b, err := k.at.Append(nil, &template.Iter{Env: env})
	if err != nil {
		return err
	}
	at := string(b)
	if strings.HasPrefix(at, "/") {
		if o.Base == "" {
			return targets.ErrNoBase
		}
		at = strings.TrimSuffix(o.Base, "/") + at
	}
	u, err := syntax.ParseURL(at)
	if err != nil {
		return err
	}
	k.learn = func(token string) {
		if env != nil && env.Secrets != nil && secret.IsLong(token) {
			env.Secrets.Add(token) // not learned: it stays known until the next token, however many values are seen
		}
	}
	client, err := tokenClient(o, u)
	if err != nil {
		return err
	}
	config := clientcredentials.Config{
		ClientID: k.y.ClientID, ClientSecret: k.y.ClientSecret, TokenURL: at, Scopes: k.y.Scope,
		EndpointParams: url.Values{}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	if k.y.Style == "body" {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	if k.y.Audience != "" {
		config.EndpointParams.Set("audience", k.y.Audience)
	}
	for name, value := range k.y.Params {
		config.EndpointParams.Set(name, value)
	}
	k.fetch = func(ctx context.Context) (*oauth2.Token, error) {
		return config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	}
	return nil
}

// tokenClient creates a client that connects like the load.
func tokenClient(o targets.Options, u *url.URL) (*http.Client, error) {
	d, err := dial.NewNetwork(&o)
	if err != nil {
		return nil, err
	}
	// The server name is that of the target.
	if o.TLS != nil && o.TLS.ServerName != "" && !strings.HasPrefix(o.Base, u.Scheme+"://"+u.Host) {
		other := *o.TLS
		other.ServerName = ""
		o.TLS = &other
	}
	conf, err := dial.TLSConfig(o.TLS)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: conf, DisableKeepAlives: true,
			Proxy: func(r *http.Request) (*url.URL, error) {
				v, err := dial.ProxyFor(&o, r.URL)
				if v == nil {
					return nil, err
				}
				return v.URL, nil
			},
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				host, port, err := net.SplitHostPort(addr)
				if err != nil {
					return nil, err
				}
				return d.DialTCP(ctx, host, port, 0)
			},
		},
		// The client's secret goes to the token URL and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       fetchTimeout,
	}, nil
}

// Fetch fetches a token and stores it.
func (k *Tokens) Fetch(ctx context.Context) (err error) {
	defer scenarios.Recover(&err)
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	tok, err := k.fetch(ctx)
	if err != nil {
		return fmt.Errorf("no token from %s: %w", k.URL(), readably(err))
	}
	k.learn(tok.AccessToken)
	if !targets.IsOneLine(tok.AccessToken) {
		return fmt.Errorf("no token from %s: its token can't stand in a header", k.URL())
	}
	k.held.Store(&heldToken{[]byte(tok.AccessToken), tok.Expiry})
	return nil
}

// readably formats the refusal of a token server as one line.
func readably(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return err
	}
	why := strings.TrimSpace(refused.ErrorCode + " " + refused.ErrorDescription)
	if why == "" {
		why = targets.Quote(string(refused.Body))
	}
	return fmt.Errorf("status %d: %s", refused.Response.StatusCode, why)
}

// How long before its expiry a token is replaced, and how soon a failed fetch is retried.
const (
	mostEarly  = time.Minute
	firstRetry = 500 * time.Millisecond
	lastRetry  = 10 * time.Second
	leastFetch = time.Second
)

// Keep fetches a new token before the current one expires, until ctx ends. It calls asks before each fetch. It calls
// tell with the first of several consecutive failures, and with nil when a fetch succeeds again.
func (k *Tokens) Keep(ctx context.Context, asks func(), tell func(error)) {
	wait, failed := k.rest(), false
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval, retry.Multiplier = firstRetry, lastRetry, 2
	for wait >= 0 {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		asks()
		limited, cancel := context.WithTimeout(ctx, max(leastFetch, k.left())) // to report the expiry of the token
		err := k.Fetch(limited)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !failed {
				tell(err)
			}
			wait, failed = retry.NextBackOff(), true
		default:
			if failed {
				tell(nil)
			}
			wait, failed = k.rest(), false
			retry.Reset()
		}
	}
}

// left returns how long the current token is valid.
func (k *Tokens) left() time.Duration {
	if h := k.held.Load(); h != nil {
		return time.Until(h.expires)
	}
	return 0
}

// rest returns how long to wait before the current token is replaced. It is negative if it is never replaced.
func (k *Tokens) rest() time.Duration {
	h := k.held.Load()
	if h == nil || h.expires.IsZero() {
		return -1
	}
	life := time.Until(h.expires)
	return max(life-min(life/5, mostEarly), firstRetry/5)
}

// token returns the token for requests.
func (k *Tokens) token() []byte {
	if h := k.held.Load(); h != nil {
		return h.text
	}
	return nil
}
