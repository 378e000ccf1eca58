import http from 'k6/http';
export default async function () { const r = await http.asyncRequest('GET', 'http://127.0.0.1:8080/'); const { a, ...rest } = r?.headers ?? {}; return rest; }
