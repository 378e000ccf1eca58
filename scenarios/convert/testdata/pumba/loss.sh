pumba netem -d 30s loss --percent 20 --correlation 10 cart
pumba netem -d 30s loss-gemodel --pg 5 --pb 90 cart
pumba netem -d 30s loss-state --p13 5 cart
