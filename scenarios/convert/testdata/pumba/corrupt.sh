pumba netem --duration 1m --egress-port 80,443 corrupt --percent 10 cart
pumba netem --duration 1m duplicate --percent 5 cart
