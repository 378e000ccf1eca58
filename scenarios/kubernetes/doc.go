// Package kubernetes is what a scenario says of pods that run already: the workloads of a cluster's namespace, which faults hit.
//
//	target: {url: …, kubernetes: {context: staging, namespace: shop, services: {web: {deployment: web}}}}
//	                                       |                                    |
//	           guard.allow.chaos: [kubernetes/staging/shop]          pod.delete: {service: web}
package kubernetes
