import { PodDisruptor } from "k6/x/disruptor";
export default function () {
  const d = new PodDisruptor({ namespace: "shop", select: { labels: { app: "cart" } }, exclude: { labels: { tier: "x" } } });
  d.injectNetworkFaults({ port: 80, protocol: "udp" }, "10s");
}
