package k6

import (
	"testing"
)

func TestPlay(t *testing.T) {
	s := server(t)
	c := script(t, `
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Trend, Counter, Gauge, Rate } from 'k6/metrics';
import brunt from 'k6/x/brunt';
const own = new Trend('own_trend', true), n = new Counter('own_counter');
export const options = {
  scenarios: { a: { executor: 'per-vu-iterations', vus: 2, iterations: 5 } },
  thresholds: { http_req_duration: ['p(95)<5000', 'max<1'], 'http_req_failed{name:bad}': ['rate<0.5'], own_counter: ['count==10'], nothing: ['count<1'] },
};
export function setup() { http.get(__ENV.URL + '/setup'); return { x: 42 }; }
export default function (data) {
  const r = http.get(__ENV.URL + '/posts/17');
  check(r, { 'is 200': (r) => r.status === 200, 'has 42': () => data.x === 42 });
  http.get(__ENV.URL + '/bad', { tags: { name: 'bad' } });
  group('login', () => { group('form', () => { const r = http.get(__ENV.URL + '/x?y=1'); check(r, { never: () => false }); }); });
  http.get(http.url`+"`${__ENV.URL}/users/${__ITER}`"+`);
  own.add(__ITER); n.add(1);
  if (__VU === 1 && __ITER === 0) { brunt.mark('first', { a: 1 }); brunt.phase('checkout'); }
  if (__ITER === 4) throw new Error('the last one');
}
export function teardown(data) { if (data.x !== 42) throw new Error('no data'); http.get(__ENV.URL + '/teardown'); }
`)
	c.Env = map[string]string{"URL": s.URL}
	g, exit := play(t, c)
	t.Logf("%v %v", g.byStep(), g.checks)
	for _, r := range g.requests[:8] {
		t.Logf("%+v", r)
	}
	t.Logf("%d iterations, %q", len(g.iterations), g.exceptions)
	for _, n := range g.notes {
		t.Logf("%+v", n)
	}
	_ = exit
}
