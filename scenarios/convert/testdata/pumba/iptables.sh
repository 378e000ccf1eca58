pumba iptables --duration 20s --protocol tcp --dst-port 5432 --source 192.0.2.1 loss --probability 0.2 cart
pumba iptables -d 20s loss --mode nth --every 5 --packet 1 cart
