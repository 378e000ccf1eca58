import { PodDisruptor } from "k6/x/disruptor";
import http from "k6/http";
export default function () { http.get("http://shop.example.com/"); }
export function setup() {
  const d = new PodDisruptor({ namespace: "shop", select: { labels: { app: "cart" } } }, { injectTimeout: "30s" });
  d.terminatePods({ count: 2, timeout: "10s" });
}
