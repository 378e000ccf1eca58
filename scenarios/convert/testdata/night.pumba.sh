#!/bin/sh
# What a team of a shop breaks at night.
pumba --random --interval 30s kill --signal SIGTERM re2:^worker
pumba kill checkout
pumba netem --duration 20s --interface eth0 delay --time 300 --jitter 30 --correlation 20 orders
pumba netem -d 1m --target 192.0.2.7 --egress-port 5432 loss --percent 15 orders
pumba netem --duration 30s rate --rate 256kbit cdn
pumba netem --duration 30s corrupt --percent 5 cdn
pumba netem --duration 30s duplicate --percent 10 cdn
pumba iptables --duration 15s loss --mode random --probability 0.2 orders
docker run --rm -v /var/run/docker.sock:/var/run/docker.sock gaiaadm/pumba:latest pause --duration 10s stock
pumba --label tier=front --limit 2 stop --duration 12s --restart
pumba stress --duration 25s --stressors "--cpu 2 --cpu-load 70" stock
pumba stress --duration 25s --stressors "--vm 1 --vm-bytes 128M" stock
pumba exec --command "kill -9 1" stock
pumba --interval 5m rm old
