// Package har converts HAR recordings of browsers into scenarios, and records such sessions itself, as a proxy.
package har

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"brunt/scenarios"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// harEntry is one exchange of a recording (HAR 1.2). Of the answer's body only values are kept that later requests may
// send.
type harEntry struct {
	line     int
	at       time.Time
	u        *url.URL
	answers  []answered
	Page     loose       `json:"pageref"`
	Started  loose       `json:"startedDateTime"`
	Time     looseNumber `json:"time"` // total time in milliseconds
	Resource loose       `json:"_resourceType"`
	Cache    loose       `json:"_fromCache"` // memory or disk; empty: the server answered
	Request  struct {
		Method  loose     `json:"method"`
		URL     loose     `json:"url"`
		Headers looseList `json:"headers"`
		Cookies looseList `json:"cookies"`
		Data    *harData  `json:"postData"`
	} `json:"request"`
	Response struct {
		Status   looseNumber `json:"status"`
		Headers  looseList   `json:"headers"`
		Cookies  looseList   `json:"cookies"`
		Redirect loose       `json:"redirectURL"`
		Content  struct {
			Type     loose `json:"mimeType"`
			Text     loose `json:"text"`
			Encoding loose `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type harHeader struct {
	Name  loose `json:"name"`
	Value loose `json:"value"`
}

type harData struct {
	Type     loose `json:"mimeType"`
	Text     loose `json:"text"`
	Encoding loose `json:"encoding"`
	Params   []struct {
		Name     loose `json:"name"`
		Value    loose `json:"value"`
		FileName loose `json:"fileName"`
		Type     loose `json:"contentType"`
	} `json:"params"`
}

type harPage struct {
	ID    loose `json:"id"`
	Title loose `json:"title"`
}

// leastThink is the shortest pause that is kept. Shorter ones are work of the browser itself.
const leastThink = 100 * time.Millisecond

// Converter returns the converter for HAR recordings of browsers.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "har", Source: "a browser's recording (HAR)", Convert: convert,
		Doc: "the session as a flow with its pauses and a check of each status; `--static` includes images, styles and " +
			"scripts, `--host` another host; values of answers that later requests send become `${var.NAME}`",
	}
}

// convert reads a recording of a browser. One session becomes one flow, with its pauses.
func convert(d *draft.Builder, source []byte) error {
	entries, pages, err := readHAR(d, source)
	if err != nil {
		return err
	}
	slices.SortStableFunc(entries, func(a, b *harEntry) int { return a.at.Compare(b.at) })
	s := harSession{
		d: d, flow: &draft.Node{Block: true, Items: []*draft.Node{}}, hosts: map[string][]int{}, cookies: map[string]bool{},
		agents: map[string]draft.Text{}, main: mainHost(entries), known: map[string]*correlation{}, sent: map[string]bool{},
		variables: map[string]bool{}, told: map[string]bool{},
	}
	for _, e := range entries {
		s.entry(e, pages)
	}
	s.left()
	if s.steps == 0 {
		return nil
	}
	load := d.Arrivals("5/s", "sessions a second")
	if s.length > scenarios.DefaultGrace {
		grace := draft.Raw(quantity.FormatDuration((s.length + scenarios.DefaultTimeout).Round(time.Second)))
		grace.Behind = "a session takes as long as its recording, also a session that begins last"
		load.Set("grace", grace)
	}
	d.Load.Set("session", load.Set("flow", s.flow))
	return nil
}

// readHAR reads entries and pages one by one, without keeping answers in memory.
func readHAR(d *draft.Builder, source []byte) (entries []*harEntry, pages map[string]string, err error) {
	pages = map[string]string{}
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	dec := json.NewDecoder(bytes.NewReader(source))
	lines := draft.LineCount{Source: source}
	found := false
	log := func() error {
		return object(dec, func(key string) error {
			switch key {
			case "entries":
				found = true
				return array(dec, func() error {
					e := &harEntry{line: lines.At(int(dec.InputOffset()))}
					err := dec.Decode(e)
					if wrong, ok := draft.WrongType(err); ok {
						d.Lost(e.line, "an entry that can't be read: %s", wrong)
						return nil
					}
					if err != nil {
						return err
					}
					e.at, _ = time.Parse(time.RFC3339Nano, string(e.Started))
					e.read()
					entries = append(entries, e)
					return nil
				})
			case "pages":
				return array(dec, func() error {
					var p harPage
					err := dec.Decode(&p)
					pages[string(p.ID)] = string(p.Title)
					return err
				})
			}
			return skip(dec)
		})
	}
	err = object(dec, func(key string) error {
		if key == "log" {
			return log()
		}
		return skip(dec)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s:%d: %w", d.O.File, lines.At(int(dec.InputOffset())), err)
	}
	if !found {
		return nil, nil, fmt.Errorf("%s: want a recording (HAR), with log.entries in it", d.O.File)
	}
	return entries, pages, nil
}

// object calls each for the keys of the next object. Each must read the value.
func object(dec *json.Decoder, each func(key string) error) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errShape)
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if err := each(key); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func array(dec *json.Decoder, each func() error) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return errors.Join(err, errShape)
	}
	for dec.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func skip(dec *json.Decoder) error {
	var any json.RawMessage
	return dec.Decode(&any)
}

var errShape = errors.New("this is not the JSON of a recording (HAR)")

// harSession is a recording that becomes a flow.
type harSession struct {
	d       *draft.Builder
	flow    *draft.Node
	steps   int
	page    string
	main    string    // the host of the load
	end     time.Time // end of the last exchange that was kept
	length  time.Duration
	next    string                // redirect target of the last answer
	last    *draft.Node           // the step that was redirected
	static  []int                 // lines of files left out
	cached  []int                 // lines of requests that the browser's cache answered
	own     []int                 // lines of requests that a browser makes by itself
	hosts   map[string][]int      // lines of requests left out, by host
	cookies map[string]bool       // cookies that answers set
	agents  map[string]draft.Text // params by value of a header
	began   bool                  // cookies from before the recording were reported
	aside   bool                  // concurrent requests were reported

	known     map[string]*correlation // values of answers
	sent      map[string]bool         // values that requests have sent
	sending   []string                // values of the current request
	variables map[string]bool         // names
	told      map[string]bool         // lines with the variables that they send
}

// entry converts one exchange, or reports why it is left out.
func (s *harSession) entry(e *harEntry, pages map[string]string) {
	d := s.d
	u, err := url.Parse(string(e.Request.URL))
	if err == nil && slices.Contains([]string{"about", "blob", "chrome-extension", "data"}, u.Scheme) {
		s.own = append(s.own, e.line)
		return
	}
	if err != nil || u.Hostname() == "" {
		d.Lose(s.flow, e.line, "a request to %q, which is not a URL", draft.Clip(string(e.Request.URL), 80))
		return
	}
	e.u = u
	switch {
	case u.Scheme == "ws" || u.Scheme == "wss" || e.Resource == "websocket" || e.Response.Status == 101:
		d.Lose(s.flow, e.line, "a WebSocket to %s", draft.Clip(u.Host+u.Path, 80))
		return
	case !draft.IsWeb(u):
		s.own = append(s.own, e.line)
		return
	case e.Resource == "preflight" || e.Request.Method == "OPTIONS" && e.header("Access-Control-Request-Method") != "":
		s.own = append(s.own, e.line)
		return
	case e.Resource == "eventsource" || e.header("Accept") == "text/event-stream" ||
		strings.HasPrefix(strings.ToLower(string(e.Response.Content.Type)), "text/event-stream"):
		d.Lose(s.flow, e.line, "a stream of events from %s; `sse:` is the step for it", draft.Clip(u.Path, 80))
		return
	}
	host := strings.ToLower(u.Host)
	switch {
	case s.main != "" && host != s.main && !slices.Contains(d.O.Hosts, u.Hostname()) && !slices.Contains(d.O.Hosts, host):
		s.hosts[host] = append(s.hosts[host], e.line)
		return
	case e.Cache != "":
		s.cached = append(s.cached, e.line)
		return
	case !d.O.Static && e.isStatic():
		s.static = append(s.static, e.line)
		return
	case e.Response.Status == 0:
		d.Lose(s.flow, e.line, "%s %s, which got no answer", e.Request.Method, draft.Clip(u.Path, 80))
		return
	}
	s.jar(e)
	if s.next != "" && withoutFragment(u) == s.next && (e.Request.Method == "GET" || e.Request.Method == "HEAD") {
		s.own = append(s.own, e.line)
		s.follow(e)
		s.learn(e, s.last)
		return
	}
	s.pause(e)
	r := s.request(e)
	if e.Response.Status == 304 {
		d.LoseAt(&r.Above, e.line, "that the browser had the answer already (304): brunt has no cache, and gets all of it")
	}
	if title := strings.TrimSpace(pages[string(e.Page)]); string(e.Page) != s.page && e.Page != "" {
		s.page = string(e.Page)
		if title == "" {
			title = string(e.Page)
		}
		r.Above = append(r.Above, "page: "+draft.Clip(title, 100))
	}
	step := d.Step(r, s.flow)
	if step == nil {
		s.end = later(s.end, e.ends()) // the pause before it is kept
		return
	}
	before := d.Dropped
	if d.Add(s.flow, step); d.Dropped == before {
		s.steps++
	}
	s.last = step
	s.follow(e)
	for _, value := range s.sending {
		s.sent[value] = true
	}
	s.sending = nil
	if d.Dropped == before {
		s.learn(e, step)
	}
}

// read keeps the values of the answer, and drops its body.
func (e *harEntry) read() {
	c := &e.Response.Content
	text := string(c.Text)
	if c.Encoding == "base64" {
		b, err := base64.StdEncoding.DecodeString(text)
		if text = string(b); err != nil || !utf8.Valid(b) {
			text = ""
		}
	}
	e.answers = answers(strings.ToLower(string(c.Type)), text, e.Response.Headers)
	c.Text = ""
}

// follow records a redirect. Brunt follows redirects itself, so the browser's request after a redirect is not a step,
// and the last answer belongs to the step.
func (s *harSession) follow(e *harEntry) {
	s.end = later(s.end, e.ends())
	s.next = ""
	status := int(e.Response.Status)
	if to := e.location(); status >= 300 && status < 400 && status != 304 && to != "" {
		s.next = to
		return
	}
	if status != 304 && status >= 100 && status <= 599 {
		s.last.Set("check", (&draft.Node{}).Set("status", draft.Number(status)))
	}
}

// ends returns when the answer was there.
func (e *harEntry) ends() time.Time {
	return e.at.Add(time.Duration(float64(e.Time) * float64(time.Millisecond)))
}

// location returns the redirect target of the answer.
func (e *harEntry) location() string {
	to := string(e.Response.Redirect)
	for _, h := range e.Response.Headers {
		if to == "" && strings.EqualFold(string(h.Name), "Location") {
			to = string(h.Value)
		}
	}
	u, err := e.u.Parse(to)
	if err != nil || to == "" {
		return ""
	}
	return withoutFragment(u)
}

func withoutFragment(u *url.URL) string {
	whole, _, _ := strings.Cut(u.String(), "#")
	return whole
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// pause adds the time since the last answer.
func (s *harSession) pause(e *harEntry) {
	if s.steps == 0 || e.at.IsZero() || s.end.IsZero() {
		return
	}
	gap := e.at.Sub(s.end).Round(time.Millisecond)
	if gap < 0 && !s.aside {
		s.aside = true
		s.d.Lose(s.flow, e.line, "requests side by side; those of a flow come one after the other")
	}
	if gap < leastThink || gap > 24*time.Hour {
		return
	}
	if gap > 10*time.Second {
		gap = gap.Round(100 * time.Millisecond)
	}
	s.length += gap
	s.d.Add(s.flow, draft.Think(gap, 0))
}

// noise reports whether a browser adds a header itself. Conditions of a request that changes something are the page's.
func noise(name string, safe bool) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "sec-") || safe && strings.HasPrefix(name, "if-") || slices.Contains([]string{
		"cookie", "dnt", "upgrade-insecure-requests", "priority", "pragma", "cache-control", "purpose", "x-client-data",
		"content-length", "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade",
	}, name)
}

func (s *harSession) request(e *harEntry) *draft.Request {
	d := s.d
	r := &draft.Request{Line: e.line, Method: string(e.Request.Method)}
	if e.Time > 0 {
		s.length += time.Duration(float64(e.Time) * float64(time.Millisecond))
	}
	draft.Credentials(d, r, e.u)
	place, _ := d.Place(e.u).Static()
	origin := ""
	if i := strings.Index(place, "://"); i >= 0 {
		origin = place[:i+3+strings.IndexByte(place[i+3:]+"/", '/')]
	}
	r.URL = draft.Join(draft.Lit(origin), s.url(e.line, place[len(origin):])).Tidy()
	if e.u.RawQuery != "" {
		r.Name = strings.ToUpper(r.Method) + " "
		for _, p := range r.URL {
			path, _, query := strings.Cut(strings.TrimPrefix(p.Lit, origin), "?")
			if r.Name += path; p.Ref != "" {
				r.Name += "{" + strings.TrimPrefix(p.Ref, "var.") + "}"
			}
			if query {
				break
			}
		}
	}
	r.Vary = s.field(e.line)
	safe := r.Method == "GET" || r.Method == "HEAD"
	for _, h := range e.Request.Headers {
		name, value := string(h.Name), string(h.Value)
		lower := strings.ToLower(name)
		switch {
		case noise(name, safe), lower == "accept" && value == "*/*", safe && (lower == "origin" || lower == "referer"):
		// The value is long, and the same in every request.
		case lower == "user-agent" || lower == "accept-language" || lower == "accept-encoding":
			r.Headers = append(r.Headers, draft.Header{Name: name, Value: s.agent(lower, value)})
		default:
			r.Headers = append(r.Headers, draft.Header{Name: name, Value: s.header(e.line, name, value)})
		}
	}
	s.body(e, r)
	return r
}

// agent makes a param of the first value of a header. Other values are written as they are.
func (s *harSession) agent(name, value string) draft.Text {
	if t, seen := s.agents[value]; seen {
		return t
	}
	t := draft.Lit(value)
	if s.d.Params.Get(name) == nil && utf8.ValidString(value) {
		t = s.d.Param(name, draft.Plain(draft.OneLine(value)), "")
	}
	s.agents[value] = t
	return t
}

func (s *harSession) body(e *harEntry, r *draft.Request) {
	data := e.Request.Data
	if data == nil || data.Text == "" && len(data.Params) == 0 {
		return
	}
	r.Body.Sent = true
	if r.ContentType().IsZero() && data.Type != "" {
		r.Headers = append(r.Headers, draft.Header{Name: "Content-Type", Value: draft.Lit(string(data.Type))})
	}
	switch kind := strings.ToLower(string(data.Type)); {
	case strings.HasPrefix(kind, "multipart/form-data") && len(data.Params) > 0:
		for _, p := range data.Params {
			part := draft.Part{Name: string(p.Name), Text: draft.Lit(string(p.Value))}
			if p.FileName != "" {
				part = partOfFile(s.d, r, string(p.Name), string(p.FileName), string(p.Type))
			}
			r.Body.Parts = append(r.Body.Parts, part)
		}
	case data.Encoding == "base64":
		b, err := base64.StdEncoding.DecodeString(string(data.Text))
		if err != nil || !utf8.Valid(b) {
			r.Body.Raw = []byte(data.Text)
			return
		}
		r.Body.Text = draft.Lit(string(b))
	case data.Text == "":
		form := url.Values{}
		for _, p := range data.Params { // Firefox encodes it, other browsers do not
			form.Add(draft.Unescaped(string(p.Name)), draft.Unescaped(string(p.Value)))
		}
		r.Body.Text = draft.Lit(form.Encode())
	default:
		r.Body.Text = draft.Lit(string(data.Text))
	}
}

// partOfFile replaces an uploaded file by a text: a recording has the name of the file but not its content.
func partOfFile(d *draft.Builder, r *draft.Request, field, name, kind string) draft.Part {
	d.LoseAt(&r.Above, r.Line, "the content of the file %q; a text stands for it, and {file: PATH} sends it",
		draft.Clip(name, 60))
	return draft.Part{Name: field, FileName: name, Kind: kind, Text: draft.Lit("content of " + name)}
}

// jar reports cookies from before the recording.
func (s *harSession) jar(e *harEntry) {
	for _, c := range e.Request.Cookies {
		if !s.cookies[string(c.Name)] && !s.began {
			s.began = true
			s.d.Lose(s.flow, e.line,
				"cookies from before the recording (%s …): where they stand for a session, log in as a first step",
				draft.Clip(string(c.Name), 40))
		}
	}
	for _, c := range e.Response.Cookies {
		s.cookies[string(c.Name)] = true
	}
	for _, h := range e.Response.Headers {
		if strings.EqualFold(string(h.Name), "Set-Cookie") {
			for line := range strings.Lines(string(h.Value)) {
				name, _, _ := strings.Cut(line, "=")
				s.cookies[strings.TrimSpace(name)] = true
			}
		}
	}
}

// left reports what was left out.
func (s *harSession) left() {
	d := s.d
	d.Head = append(d.Head,
		"Left to brunt: cookies, redirects. Left out: headers that a browser adds for itself, pauses under 100ms, what "+
			"was answered but for values that later requests send.")
	if len(s.own) > 0 {
		d.Lose(s.flow, s.own[0], "%s that a browser makes by itself%s: preflights, data in the page, and what follows a redirect",
			syntax.Amount(len(s.own), "request"), inLines(s.own))
	}
	if len(s.cached) > 0 {
		d.Lose(s.flow, s.cached[0], "%s that the browser's cache answered%s", syntax.Amount(len(s.cached), "request"),
			inLines(s.cached))
	}
	if len(s.static) > 0 {
		d.Lose(s.flow, s.static[0], "%s (images, fonts, styles, scripts)%s; --static takes such in",
			syntax.Amount(len(s.static), "static file"), inLines(s.static))
	}
	for _, h := range draft.SortedKeys(s.hosts) {
		d.Lose(s.flow, s.hosts[h][0], "%s to %s%s; --host %s takes such in", syntax.Amount(len(s.hosts[h]), "request"), h,
			inLines(s.hosts[h]), h)
	}
}

// inLines names the lines of several entries.
func inLines(lines []int) string {
	if len(lines) < 2 {
		return ""
	}
	var all []string
	for _, line := range lines[:min(len(lines), 20)] {
		all = append(all, strconv.Itoa(line))
	}
	more := ""
	if len(lines) > len(all) {
		more = " …"
	}
	return ", in lines " + strings.Join(all, ", ") + more
}

func (e *harEntry) header(name string) string {
	for _, h := range e.Request.Headers {
		if strings.EqualFold(string(h.Name), name) {
			return string(h.Value)
		}
	}
	return ""
}

// isStatic reports whether the exchange fetched a static file of a page.
func (e *harEntry) isStatic() bool {
	if e.Request.Method != "GET" {
		return false
	}
	switch e.Resource {
	case "image", "stylesheet", "script", "font", "media", "manifest", "texttrack":
		return true
	case "document", "xhr", "fetch":
		return false
	}
	kind := strings.ToLower(string(e.Response.Content.Type))
	for _, k := range []string{
		"image/", "font/", "video/", "audio/", "text/css", "text/javascript", "application/javascript",
		"application/x-javascript", "application/font",
	} {
		if strings.HasPrefix(kind, k) {
			return true
		}
	}
	return slices.Contains([]string{
		".avif", ".css", ".eot", ".gif", ".ico", ".jpeg", ".jpg", ".js", ".map", ".mjs", ".mp3", ".mp4", ".otf", ".png",
		".svg", ".ttf", ".wasm", ".webm",
		".webp", ".woff", ".woff2",
	}, strings.ToLower(path.Ext(e.u.Path)))
}
