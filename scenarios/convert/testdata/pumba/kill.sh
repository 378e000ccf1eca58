pumba kill --signal SIGTERM cart
