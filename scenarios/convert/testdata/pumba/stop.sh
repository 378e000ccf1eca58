pumba stop --time 5 --restart --duration 30s cart
