docker exec proxy /toxiproxy-cli -h localhost:8474 toxic add -t timeout -n cut -a timeout=0 db
docker exec proxy /toxiproxy-cli toxic add -t latency -a latency=$WAIT db
