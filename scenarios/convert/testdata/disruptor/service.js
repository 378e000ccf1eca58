import { ServiceDisruptor } from "k6/x/disruptor";
export const options = { scenarios: { load: { executor: "constant-vus", vus: 5, duration: "30s" }, disrupt: { executor: "shared-iterations", exec: "disrupt" } } };
export default function () {}
export function disrupt() {
  const s = new ServiceDisruptor("cart", "shop");
  s.injectHTTPFaults({ averageDelay: "50ms", errorRate: 0.1, errorCode: 500, exclude: "/health" }, "30s", { proxyPort: 8080 });
}
