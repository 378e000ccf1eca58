import http from 'k6/http';
import { check } from 'k6';
// see https://docs.example.org
export const options = { vus: 5, duration: '30s', thresholds: { http_req_duration: ['p(95)<200'] } };
const BASE = __ENV.BASE || 'https://shop.example.com';
export default function () {
  check(http.get(`${BASE}/items`), { ok: (r) => r.status === 200 });
  http.post('https://pay.example.com/buy', '{}');
}
