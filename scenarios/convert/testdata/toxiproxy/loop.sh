#!/bin/sh
toxiproxy-cli create -u redis:6379 redis
for i in 1 2 3; do
  toxiproxy-cli toxic add -t latency -n lat -a latency=300 redis
  sleep 10
  toxiproxy-cli toxic remove -n lat redis
done
(
  sleep 30
  toxiproxy-cli toggle redis
) &
toxiproxy-cli toxic add -t timeout -a timeout=9 redis
wait
toxiproxy-cli delete redis
