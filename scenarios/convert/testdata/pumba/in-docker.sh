docker run -it --rm -v /var/run/docker.sock:/var/run/docker.sock gaiaadm/pumba:0.10.1 --log-level info netem --duration 1m delay --time 300 cart
