import { PodDisruptor } from "k6/x/disruptor";
export function disrupt() {
  new PodDisruptor({ select: { labels: { app: "cart" } } }).injectGrpcFaults({ port: 3000, averageDelay: "100ms", errorRate: 0.2, statusCode: 14, statusMessage: "gone" }, "20s");
}
