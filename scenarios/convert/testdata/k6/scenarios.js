import http from 'k6/http';
export const options = { scenarios: { a: { executor: 'constant-vus', vus: 1, duration: '1s', exec: 'one' } } };
export function one() { http.post('https://shop.example.com/a', JSON.stringify({ a: 1 })); http.get('https://cdn.example.com/'); }
