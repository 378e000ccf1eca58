pumba netem --duration 5m --interface eth1 --target 192.0.2.7 delay --time 3000 --jitter 30 --correlation 20 --distribution normal cart
