pumba --runtime containerd pause --duration 10s cart
