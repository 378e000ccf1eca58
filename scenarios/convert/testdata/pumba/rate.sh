pumba netem --tc-image gaiadocker/iproute2 --duration 1m rate --rate 1mbit --packetoverhead 5 cart
