import http from 'k6/http';
export default function (): void { const url: string = 'http://127.0.0.1:8080/'; http.get(url); }
