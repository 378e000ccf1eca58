import { PodDisruptor } from "k6/x/disruptor";
const app = __ENV.APP;
export default function () {
  const d = new PodDisruptor({ namespace: __ENV.NS, select: { labels: { app } } });
  d.injectHTTPFaults({ errorRate: 0.5, errorCode: 503 }, __ENV.FOR);
  d.terminatePods({ count: "25%" });
}
