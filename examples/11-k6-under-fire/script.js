// A script of k6, as its team has it; of brunt it knows the last three lines of `browse`.
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { SharedArray } from 'k6/data';
import { Trend } from 'k6/metrics';
import exec from 'k6/execution';
import { fault, mark } from 'k6/x/brunt';

const texts = new SharedArray('texts', () => JSON.parse(open('./texts.json')));
const pageSize = new Trend('page_size');

export const options = {
  scenarios: {
    readers: { executor: 'constant-arrival-rate', exec: 'browse', rate: 60, timeUnit: '1s', duration: '50s', preAllocatedVUs: 50, maxVUs: 300 },
    writers: { executor: 'constant-vus', exec: 'write', vus: 2, duration: '50s' },
  },
  thresholds: {
    'http_req_duration{name:list posts}': ['p(95)<1500'],
    http_req_failed: ['rate<0.02'],
    checks: ['rate>0.98'],
    page_size: ['min>0'],
  },
};

const base = __ENV.BASE || 'http://127.0.0.1:8080';

export function setup() {
  const r = http.post(`${base}/login`, JSON.stringify({ user: 'ann' }), { headers: { 'Content-Type': 'application/json' } });
  return { token: r.json('token') };
}

export function browse() {
  const list = http.get(`${base}/posts?page=${1 + Math.floor(Math.random() * 50)}`, { tags: { name: 'list posts' } });
  check(list, { 'has posts': (r) => r.status === 200 && r.json('items').length > 0 });
  if (list.status === 200) {
    pageSize.add(list.json('items').length);
    group('read post', () => check(http.get(`${base}/posts/${list.json('items.0.id')}`), { 'is there': (r) => r.status === 200 }));
  }
  if (exec.scenario.iterationInTest === 600) { // ten seconds in, whatever the clock says
    mark('a replica goes', { iteration: 600, comes: fault('lose-a-replica') });
  }
}

export function write(data) {
  const text = texts[exec.scenario.iterationInTest % texts.length];
  const r = http.post(`${base}/posts`, JSON.stringify({ author: 'ann', text }), {
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${data.token}`, 'Idempotency-Key': `${exec.scenario.iterationInTest}` },
    tags: { name: 'write post' },
  });
  check(r, { 'was taken': (r) => r.status === 201 });
  sleep(0.2);
}
