package leaks

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// scenario holds a secret at every place that a scenario has one. {{NAME}} is a literal secret, {{odd NAME}} one with
// characters that encodings change, and ${env.LEAK_…} one of the environment.
const scenario = `
version: 1
name: leaks
params: {api-password: "{{param}}", given-token: "", short-password: "1", turn: one}
seed: 3
target:
  entry: api
  processes:
    api:
      command: ["@BIN@", "--token={{flag of a unit}}", --password, "{{argument of a unit}}"]
      env: {DB_PASSWORD: "{{variable of a unit}}", PLAIN: "${env.LEAK_UNIT}", LEAKS_OWN: "@OWN@"}
      links: [back]
      ready: {get: /ready, headers: {Authorization: "Bearer {{ready}}"}}
    back: {command: ["@BIN@"], env: {LEAKS_OWN: "@OWN@"}}
data:
  users: {csv: users.csv, pick: next}
  keys: {json: keys.json, pick: next}
setup:
  - {command: [@BIN@, say, --api-key, "{{flag of setup}}"], env: {SETUP_TOKEN: "{{variable of setup}}", PLAIN: "${env.LEAK_SETUP}"}}
  - {post: /login, json: {user: ann, password: "{{body of setup}}"}, extract: {token: "$.token", found: "~ \"id\": \"([^\"]+)"}}
teardown:
  - {command: "@BIN@ say --pin {{flag of teardown}} $TEARDOWN_SECRET ${env.LEAK_TEARDOWN}; exit 3",
    env: {TEARDOWN_SECRET: "{{variable of teardown}}"}}
  - {post: "/fail/teardown?api_key={{query of teardown}}"}
load:
  main:
    executor: constant-arrival-rate
    rate: @RATE@
    duration: @DURATION@
    timeout: 2s
    mix:
      - {weight: 1, flow: [{get: /fail/literal,
          headers: {X-Api-Key: "{{header}}", Cookie: "sid={{cookie of a scenario}}", X-Plain: "${env.LEAK_HEADER}"}}]}
      - {weight: 1, flow: [{get: "/fail/query?as=html&token={{query}}&q=${env.LEAK_QUERY}"}]}
      - {weight: 1, flow: [{get: "/fail/path/${env.LEAK_PATH}?as=text"}]}
      - {weight: 1, flow: [{post: /fail/json, json: {password: "{{odd body}}", note: "${env.LEAK_BODY}", deep: "{\"token\": \"{{json in json}}\"}"}}]}
      - {weight: 1, flow: [{post: /fail/form, form: {password: "{{odd form}}", note: "${env.LEAK_FORM}"}}]}
      - {weight: 1, flow: [{post: /fail/multipart, multipart: {password: "{{multipart}}", photo: {file: secret.txt}}}]}
      - {weight: 1, flow: [{post: /fail/file, body: "note=${file.secret.txt}"}]}
      - {weight: 1, flow: [{post: "/fail/functions?as=text",
          headers: {X-Plain: "${base64(env.LEAK_USER, ':', env.LEAK_CALL)}"},
          body: "${hex(env.LEAK_CALL)}"}]}
      - {weight: 1, flow: [{get: /fail/basic, auth: {basic: {user: ann, password: "{{basic}}"}}}]}
      - {weight: 1, flow: [{get: /fail/jwt, auth: {jwt: {alg: HS256, key: "{{key of a JWT, which is long enough}}", claims: {sub: ann}}}}]}
      - {weight: 1, flow: [{get: /fail/hmac, sign: {hmac: {key: "{{key of HMAC}}", over: "${request.path}"}}}]}
      - {weight: 1, flow: [{get: /fail/aws,
          sign: {aws: {access_key: "{{access key}}", secret_key: "{{secret key}}", session_token: "{{session token}}", region: r, service: s}}}]}
      - {weight: 1, flow: [{get: /fail/param, headers: {X-Plain: "${api-password} ${given-token} ${short-password}"}}]}
      - {weight: 1, flow: [{post: /fail/data, json: {user: "${data.users.name}", with: "${data.users.password}", key: "${data.keys.api_key}"}}]}
      - {weight: 1, flow: [{post: /login, name: log in, extract: {mine: "$.token", sid: cookie session_id, own: header X-Session-Token}},
          {get: "/fail/own?as=text",
          headers: {X-Plain: "${var.mine} ${var.sid} ${var.own} ${var.token} ${var.found}"}}]}
      - {weight: 1, flow: [{get: "http://ann:{{userinfo of a step}}@${unit.api.addr}/fail/userinfo"}]}
      - {weight: 1, flow: [{get: "/redirect?token={{query that is redirected}}"}]}
      - {weight: 1, flow: [{get: "/garbage?token={{query of garbage}}", headers: {Authorization: "Bearer {{header of garbage}}"}}]}
      - {weight: 1, flow: [{get: "/head?token={{query of a bad header}}"}]}
      - {weight: 1, flow: [{get: "/cut?token={{query of a cut answer}}"}]}
      - {weight: 1, flow: [{get: /echo/checked,
          headers: {Authorization: "Token {{header of a check}}"},
          check: {body: "no such text", header: {Set-Cookie: "none"}, "$.first[0]": "none"}}]}
      - {weight: 1, flow: [{post: /written, name: write,
          headers: {Authorization: "Bearer {{header of a write}}"},
          json: {id: "${ledger.id}", password: "{{body of a write}}"}}]}
      - {weight: 1, flow: [{graphql: /fail/graphql, query: "query Q($password: String) { a(p: $password) }",
          variables: {password: "{{variable of GraphQL}}"}}]}
      - {weight: 1, flow: [{sse: "/echo/sse?token={{query of a stream}}"}]}
  fetched:
    executor: constant-arrival-rate
    rate: 10/s
    duration: @DURATION@
    auth: {oauth2: {token_url: "http://@OUTSIDE@/token", client_id: shop, client_secret: "{{client secret}}"}}
    flow: [{get: "/fail/oauth2?as=text"}]
  by-proxy:
    executor: constant-arrival-rate
    rate: 5/s
    duration: @DURATION@
    connections: {proxy: "http://ann:{{userinfo of a proxy}}@@OUTSIDE@"}
    flow: [{get: "/fail/proxy?as=text"}]
  attack:
    engine: vegeta
    executor: constant-arrival-rate
    rate: 10/s
    duration: @DURATION@
    targets: targets.txt
chaos:
  slow: {at: 1s, for: 600ms, network.latency: {from: api, to: back, delay: 5ms}}
  tool:
    at: 2s
    for: 600ms
    exec:
      inject: [@BIN@, switch, "http://@OUTSIDE@/switch/${turn}/on", --password, "{{flag of a fault}}"]
      verify: {get: "http://@OUTSIDE@/switch/${turn}", check: {"$.on": true}, headers: {Authorization: "Bearer {{header of a verification}}"}}
      revert: "@BIN@ switch http://@OUTSIDE@/switch/${turn}/off --token={{flag of a revert}} $PGPASSWORD ${env.LEAK_EXEC}"
      env: {PGPASSWORD: "{{variable of a fault}}", PLAIN: "${env.LEAK_EXEC}"}
      units: [db]
    detect: {get: "http://@OUTSIDE@/switch/${turn}?token={{query of a detection}}", check: {"$.on": true}, every: 200ms}
  refused:
    at: 3s
    for: 600ms
    webhook:
      inject: {post: "http://@OUTSIDE@/fail/hook/${turn}?token={{query of a call}}",
        headers: {X-Auth-Token: "{{header of a call}}"},
        json: {secret: "{{body of a call}}", note: "${env.LEAK_CALLED}"}}
      verify: {get: "http://@OUTSIDE@/switch/${turn}", check: {"$.on": true}}
      revert: {post: "http://@OUTSIDE@/switch/${turn}/off", headers: {X-Auth-Token: "{{header of a revert}}"}}
metrics:
  depth: {scrape: "http://@OUTSIDE@/figures?token={{query of a metric}}", metric: depth,
    headers: {Authorization: "Bearer {{header of a metric}}"}, every: 300ms}
  broken: {prometheus: "http://@OUTSIDE@/prometheus?token={{query of a metrics server}}", query: up, every: 300ms}
  said: {command: "@BIN@ say --token {{flag of a metric}} ${env.LEAK_METRIC}; exit 1", every: 500ms}
alerts:
  Broken: {prometheus: "http://@OUTSIDE@/alerts", headers: {Authorization: "Bearer {{header of an alert}}"}, every: 300ms}
watch:
  role: {command: "echo role ${env.LEAK_WATCH}", of: api, every: 300ms}
ledger:
  write: write
  id: "${ledger.id}"
  read: {get: "/fail/read/${id}?token={{query of a read}}", headers: {Authorization: "Bearer {{header of a read}}"}}
  settle: 0
  within: 1s
trace: {link: "https://tracing.example/${trace.id}?token={{query of a link}}"}
steady: [ok.p50 < 10s]
slo: [ok.p50 < 10s]
`

// files are the files beside the scenario, with secrets as in it.
var files = map[string]string{
	"users.csv":  "name,password\nann,{{column of a CSV file}}\n",
	"keys.json":  `[{"api_key": "{{odd column of a JSON file}}"}]`,
	"secret.txt": "{{file}}\n",
	"targets.txt": "POST /fail/target?token={{query of a target}}\nAuthorization: Bearer {{header of a target}}\n" +
		"Content-Type: application/json\n@body.json\n",
	"body.json": `{"password": "{{odd body of a target}}"}`,
}

// variables are the variables of the environment that the scenario takes secrets from.
var variables = []string{
	"LEAK_UNIT", "LEAK_SETUP", "LEAK_TEARDOWN", "LEAK_HEADER", "LEAK_QUERY", "LEAK_PATH", "LEAK_BODY", "LEAK_FORM",
	"LEAK_CALL", "LEAK_EXEC",
	"LEAK_CALLED", "LEAK_METRIC", "LEAK_WATCH", "LEAK_OUT", "LEAK_SCRIPT", "PROMETHEUS_TOKEN", "OTLP_TOKEN",
	"GRAFANA_TOKEN",
}

// plainVariables are the variables in places that take no odd characters: headers, the shell, the URL of an out.
var plainVariables = []string{
	"LEAK_HEADER", "LEAK_OUT", "LEAK_SCRIPT", "LEAK_TEARDOWN", "LEAK_EXEC", "LEAK_METRIC", "LEAK_WATCH",
	"PROMETHEUS_TOKEN", "OTLP_TOKEN", "GRAFANA_TOKEN",
}

// ofServer are the secrets that the target gives out.
var ofServer = []string{"cookie", "header", "extracted", "oauth2 token", "redirect"}

// A leaky is a scenario with its secrets, in a folder of its own.
type leaky struct {
	dir     string
	file    string            // of the scenario
	secrets map[string]string // by name
	own     map[string]string // of the server
	env     []string          // with the secrets of the environment
}

var holes = regexp.MustCompile(`\{\{(odd )?([^}]+)\}\}`)

// newSecret draws a secret. An odd one has characters that encodings change.
func newSecret(odd bool) string {
	text := strings.ToLower(rand.Text()[:10]) + "7" + rand.Text()[:9]
	if odd {
		text = text[:6] + "/+=<" + text[6:12] + "&'é" + text[12:]
	}
	return text
}

// write writes a scenario with fresh secrets. Words are replaced as given.
func write(t *testing.T, text string, words ...string) *leaky {
	t.Helper()
	l := &leaky{dir: t.TempDir(), secrets: map[string]string{}, own: map[string]string{}}
	for _, name := range ofServer {
		l.own[name] = newSecret(false)
		l.secrets["of the server: "+name] = l.own[name]
	}
	words = append(words, "@OWN@", l.save(t, "own.json", jsonOf(l.own)))
	l.file = l.save(t, "scenario.yaml", l.fill(text, words...))
	for name, text := range files {
		l.save(t, name, l.fill(text, words...))
	}
	for i, name := range variables {
		if name == "LEAK_SCRIPT" && !strings.Contains(text, name) {
			continue // no secret of a run that does not ask for it
		}
		l.secrets[name] = newSecret(i%2 == 1 && !slices.Contains(plainVariables, name))
		l.env = append(l.env, name+"="+l.secrets[name])
	}
	l.env = append(l.env, "LEAK_USER=ann")
	return l
}

// fill puts a secret into each hole of a text, and replaces words as given.
func (l *leaky) fill(text string, words ...string) string {
	return strings.NewReplacer(words...).Replace(holes.ReplaceAllStringFunc(text, func(h string) string {
		m := holes.FindStringSubmatch(h)
		if l.secrets[m[2]] == "" {
			l.secrets[m[2]] = newSecret(m[1] != "")
		}
		b, _ := json.Marshal(l.secrets[m[2]])
		return string(b[1 : len(b)-1])
	}))
}

func (l *leaky) save(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
