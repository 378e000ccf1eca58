#!/bin/sh
toxiproxy-cli create -l localhost:26379 -u localhost:6379 redis
toxiproxy-cli list
toxiproxy-cli toxic add -t latency -a latency=1000 redis
sleep 20
toxiproxy-cli toxic remove -n latency_downstream redis
toxiproxy-cli toxic add --type bandwidth --attribute rate=64 --toxicity 0.5 --upstream redis
toxiproxy-cli toggle redis
sleep 5
toxiproxy-cli delete redis
