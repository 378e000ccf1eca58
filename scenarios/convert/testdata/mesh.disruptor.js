// A load test of a shop that breaks it as well.
import { PodDisruptor, ServiceDisruptor } from "k6/x/disruptor";
import http from "k6/http";

const lasts = "30s";
const cart = { namespace: "shop", select: { labels: { app: "cart" } }, exclude: { labels: { tier: "canary" } } };

export const options = {
  scenarios: {
    load: { executor: "constant-arrival-rate", rate: 100, duration: "120s", preAllocatedVUs: 10, exec: "buy" },
    break: { executor: "shared-iterations", iterations: 1, vus: 1, exec: "disrupt", startTime: "30s" },
  },
};

export function buy() {
  http.get("http://shop.example.com/cart");
}

export function disrupt() {
  const pods = new PodDisruptor(cart);
  pods.injectHTTPFaults({ averageDelay: "150ms", delayVariation: 20, errorRate: 0.15, errorCode: 503, errorBody: `"${"no"}"`, exclude: "/health", port: 8080 }, lasts);
  pods.injectGrpcFaults({ averageDelay: 80, errorRate: 0.1, statusCode: 8, statusMessage: "too much" }, "20s");
  pods.terminatePods({ count: "50%" });

  const stock = new ServiceDisruptor("stock", "shop");
  stock.injectNetworkFaults({ port: 5432, protocol: "tcp" }, "10s");
  stock.injectHTTPFaults({ averageDelay: "0" }, "5s");
}
