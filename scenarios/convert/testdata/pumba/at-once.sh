pumba netem -d 30s delay --time 100 cart &
pumba netem -d 30s loss --percent 5 store &
wait
pumba kill cart
