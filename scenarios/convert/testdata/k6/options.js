import http from 'k6/http';
import { check, sleep } from 'k6';
export const options = { stages: [{ duration: '30s', target: 20 }], thresholds: { http_req_duration: ['p(95)<200'] }, hosts: { 'shop.example.com': '192.0.2.7' } };
export default () => { check(http.get(`${__ENV.BASE || 'http://127.0.0.1:8080'}/a`), { ok: (r) => r.status === 200 }); sleep(1); };
