pumba --runtime podman --host unix:///run/podman/podman.sock pause --duration 10s cart
